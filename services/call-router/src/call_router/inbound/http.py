"""The router's HTTP interface: PBX webhooks, the explain endpoint, health and metrics."""

from collections.abc import Callable, Mapping
from datetime import datetime

from fastapi import FastAPI, Request
from prometheus_client import CollectorRegistry
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from call_router.domain.inventory import Account
from call_router.inbound.admission import Admission
from call_router.inbound.description import DescribedApi
from call_router.inbound.explaining import ExplainAnswer, ExplainQuestion, explained, question_of
from call_router.inbound.pbx import PREFIX, PbxWebhooks
from call_router.ports import PbxAdapter
from call_router.usecases.explain_route import ExplainRoute
from fareline_chassis.auth import TokenBook
from fareline_chassis.health import Health, health_routes
from fareline_chassis.problems import Problem, problem_handlers

EXPLAIN_SCOPE = "route:explain"
_API = "/v1/"
_BUSY = PlainTextResponse("Calls come first: try again in a second.", 503, {"retry-after": "1"})


def build_api(
    *,
    accounts: Mapping[str, Account],
    adapter_of: Callable[[str], PbxAdapter],
    explain: ExplainRoute,
    tokens: TokenBook,
    health: Health,
    registry: CollectorRegistry,
    clock: Callable[[], datetime],
) -> FastAPI:
    """Return the application for everything but the webhooks."""
    api = DescribedApi(title="Fareline call-router", docs_url=None, redoc_url=None)
    problem_handlers(api)
    api.router.routes.extend(health_routes(health, registry))

    @api.post("/v1/route/explain", summary="Say where a call would go, and why; change nothing.")
    async def explain_route(body: ExplainQuestion, request: Request) -> ExplainAnswer:
        grant = tokens.require(request, None, EXPLAIN_SCOPE)
        account = accounts.get(body.account)
        if account is None or not any(map(grant.serves, account.tenants)):
            raise Problem(404, detail="There is no such account.")
        decision = await explain(question_of(body, account, clock()), adapter_of(body.account))
        if decision.tenant is not None and not grant.serves(decision.tenant):
            raise Problem(403, detail="This token does not serve the tenant of that number.")
        return explained(decision)

    return api


def with_webhooks(api: ASGIApp, webhooks: PbxWebhooks, admission: Admission) -> ASGIApp:
    """Return one application: webhooks go straight to their own, everything else to `api` while calls leave time."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["path"].startswith(PREFIX):
            await webhooks(scope, receive, send)
        elif scope["type"] == "http" and scope["path"].startswith(_API) and not admission.may_serve_api:
            await _BUSY(scope, receive, send)
        else:
            await api(scope, receive, send)

    return app
