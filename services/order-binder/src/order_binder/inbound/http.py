"""The HTTP interface: routes, errors as problems, health and metrics."""

from collections.abc import Sequence

import asyncpg
from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute
from starlette.types import Scope

from fareline_chassis.body_limit import BodyLimit
from fareline_chassis.kafka.producer import DeliveryRefused, DeliveryUnknown
from fareline_chassis.logs import get_logger
from fareline_chassis.postgres.errors import DatabaseUnavailable, classify
from fareline_chassis.problems import Problem, problem_handlers
from fareline_contracts.orders import MAX_SNAPSHOT_BYTES
from order_binder.inbound.http_description import DescribedApi
from order_binder.inbound.http_orders import OrderRoutes, invalid_field
from order_binder.inbound.http_registry import RegistryRoutes
from order_binder.inbound.known_callers import KnownCallers
from order_binder.ports.bindings import LostRace
from order_binder.ports.registry import NoOtherNumber, NumberCooling, NumberHeldElsewhere, NumberInUse, NumberIsAPhone
from order_binder.usecases.put_number import NumberUnknown, TenantUnknown
from order_binder.usecases.put_tenant import TenantUnusable

_BATCH_BYTES = 8 * 1024 * 1024
_DOCUMENT_BYTES = 512 * 1024
_PROBLEMS: dict[type[Exception], tuple[int, str, str]] = {
    TenantUnknown: (404, "unknown-tenant", "There is no such tenant."),
    NumberHeldElsewhere: (409, "number-held-elsewhere", "The number belongs to another tenant."),
    NumberIsAPhone: (409, "number-is-a-phone", "The number is a party's phone in a binding that has not ended."),
    NumberUnknown: (404, "unknown-number", "The tenant has no such number."),
    NumberInUse: (409, "number-in-use", "Bindings use the number; withdraw it with ?bindings=move or ?bindings=drain."),
    NumberCooling: (409, "number-cooling", "People of its former tenant may still dial the number; it has to rest."),
    NoOtherNumber: (409, "no-other-number", "Bindings can only move where there is another active main number."),
    DeliveryUnknown: (503, "not-acknowledged", "Kafka did not acknowledge in time; send the same again."),
    DeliveryRefused: (503, "not-accepted", "Kafka does not accept records just now; send the same again later."),
    DatabaseUnavailable: (503, "no-database", "The database cannot be reached just now."),
    LostRace: (503, "busy", "Others changed the same rows again and again; ask once more."),
}
_CUT_OFF = (asyncpg.PostgresError, asyncpg.InterfaceError, OSError, TimeoutError)
log = get_logger(__name__)


def build_http(orders: OrderRoutes, registry: RegistryRoutes, health: Sequence[BaseRoute]) -> FastAPI:
    """Return the application; OpenAPI stands at `/openapi.json`."""
    app = DescribedApi(
        title="Fareline order-binder",
        version="1",
        description="Order snapshots in, bindings out; tenants and their numbers.",
        docs_url=None,
        redoc_url=None,
        strict_content_type=False,
    )
    problem_handlers(app)
    for kind in _PROBLEMS:
        app.add_exception_handler(kind, _answer)
    for kind in _CUT_OFF:
        app.add_exception_handler(kind, _cut_off)
    app.add_exception_handler(TenantUnusable, _unusable)
    app.include_router(orders.router())
    app.include_router(registry.router())
    app.router.routes.extend(health)
    app.add_middleware(BodyLimit, limit_of=body_limit)
    app.add_middleware(KnownCallers, tokens=orders.tokens)
    return app


async def _cut_off(request: Request, error: Exception) -> Response:
    """Tell a connection that was lost in the middle from a mistake of ours."""
    if classify(error) == "transient":
        return await _answer(request, DatabaseUnavailable())
    log.error("http.failed", route=getattr(request.scope.get("route"), "path", None), exc_info=error)
    return Problem(500).response()


async def _unusable(_: Request, error: Exception) -> Response:
    assert isinstance(error, TenantUnusable)
    return invalid_field(f"#/{error.place}", error.detail).response()


async def _answer(_: Request, error: Exception) -> Response:
    status, kind, detail = _PROBLEMS[type(error)]
    headers = {"Retry-After": "1"} if status == 503 else {}  # noqa: PLR2004
    return Problem(status, type=f"urn:fareline:problem:{kind}", detail=detail, headers=headers).response()


def body_limit(scope: Scope) -> int:
    """Return how many bytes a request may have: one snapshot, a list of them, or a document."""
    path: str = scope["path"].rstrip("/")
    if scope["method"] == "PUT" and "/orders/" in path:
        return MAX_SNAPSHOT_BYTES
    return _BATCH_BYTES if path.endswith("/orders") else _DOCUMENT_BYTES
