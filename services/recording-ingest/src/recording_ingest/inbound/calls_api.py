"""The call log over HTTP."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any

import orjson
from fastapi import APIRouter, Depends, Path, Request, Response
from fastapi.security import HTTPBearer
from pydantic import BaseModel

from fareline_chassis.auth import Grant
from fareline_chassis.parameters import known_parameters
from recording_ingest.domain.search import CallFilter
from recording_ingest.inbound.access import READ, READ_NUMBERS, Gate, may_see, shown_to, unknown
from recording_ingest.inbound.askers import REQUEST_ID
from recording_ingest.inbound.call_page_shapes import CallPageOut, call_page_out
from recording_ingest.inbound.call_shapes import CallsOut, OrderCallsOut, StatsOut
from recording_ingest.inbound.cursors import Cursors
from recording_ingest.inbound.examples import REQUEST_ID_HEADER
from recording_ingest.inbound.noted import Notary
from recording_ingest.inbound.parameters import documented, read_as
from recording_ingest.inbound.questions import (
    CallQuestion,
    CallSearch,
    StatsQuestion,
    filter_of,
    fingerprint,
)
from recording_ingest.inbound.quick_routes import QuickRoute, body_as, place_as
from recording_ingest.inbound.recording_shapes import RecordingsOut, recordings_out
from recording_ingest.ports.access_log import AccessLog
from recording_ingest.ports.calls import CallFinder
from recording_ingest.ports.clock import Clock
from recording_ingest.usecases.find_calls import calls_of_order, find_calls
from recording_ingest.usecases.note_question import SEARCH
from recording_ingest.usecases.show_call import show_call

BEARER = Depends(HTTPBearer(auto_error=False, description="A token that names its tenants and scopes."))
NO_PARAMETERS = Depends(known_parameters)
CallId = Annotated[str, Path(max_length=256, pattern=r"^[^\x00]+$", examples=["b6c2"])]
TenantId = Annotated[str, Path(max_length=63, pattern=r"^[^\x00]+$", examples=["demo"])]
OrderId = Annotated[str, Path(max_length=128, pattern=r"^[^\x00]+$", examples=["o-1001"])]
_read_question = read_as(CallQuestion)


class OrderPlace(BaseModel):
    """An order, as a path names it."""

    tenant: TenantId
    order_id: OrderId


class CallsApi:
    """The routes under `/v1/calls` and the calls of an order."""

    def __init__(self, finder: CallFinder, gate: Gate, clock: Clock, cursors: Cursors, log: AccessLog) -> None:
        self._finder = finder
        self._notary = Notary(log, gate, clock)
        self._gate = gate
        self._clock = clock
        self._cursors = cursors

    def router(self) -> APIRouter:
        """Return the routes. Lists are sent as they come from the database: the models only describe them."""
        router = APIRouter(tags=["calls"], dependencies=[BEARER])
        add, bare = router.add_api_route, [NO_PARAMETERS]
        add("/v1/calls", self.list_calls, summary="Find calls", **_answers(CallsOut, CallQuestion))
        add(
            "/v1/calls/search",
            self.search,
            methods=["POST"],
            summary="Find calls by phone",
            dependencies=bare,
            **_answers(CallsOut, headers={REQUEST_ID: REQUEST_ID_HEADER}),
        )
        add("/v1/calls/stats", self.stats, summary="Sum calls up", **_answers(StatsOut, StatsQuestion))
        add("/v1/calls/{call_id}", self.one_call, summary="Explain a call", dependencies=bare)
        add("/v1/calls/{call_id}/recordings", self.recordings, summary="The recordings of a call", dependencies=bare)
        add(
            "/v1/tenants/{tenant}/orders/{order_id}/calls",
            self.of_order,
            summary="Everything tried for an order",
            dependencies=bare,
            **_answers(OrderCallsOut),
        )
        return router

    def quick_routes(self) -> Sequence[QuickRoute]:
        """Return quicker ways to the routes that are asked most, to stand before all others."""
        return (
            QuickRoute("GET", "/v1/calls", self._list_quickly),
            QuickRoute("POST", "/v1/calls/search", self._search_quickly),
            QuickRoute("GET", "/v1/tenants/{tenant}/orders/{order_id}/calls", self._of_order_quickly),
        )

    async def list_calls(
        self, request: Request, question: Annotated[CallQuestion, Depends(read_as(CallQuestion))]
    ) -> Response:
        """Return calls started in a period, newest first, page by page; follow `next` as `cursor`."""
        return await self._page(request, question)

    async def search(self, request: Request, question: CallSearch) -> Response:
        """Return the same for a phone in full, as caller or as either party; the answer's phones may be masked.

        Who looks for a phone stands in the access log first; `X-Access-Reason` says why.
        """
        if not question.phones():
            return await self._page(request, question)
        grant = await self._notary.admit(request, question, SEARCH)
        wanted = filter_of(question, grant, self._clock(), self._cursors)
        headers = await self._notary.note(request, grant, question, SEARCH)
        return await self._found(grant, wanted, question, headers)

    async def stats(
        self, request: Request, question: Annotated[StatsQuestion, Depends(read_as(StatsQuestion))]
    ) -> Response:
        """Return the measures of the calls asked for, group by group."""
        grant = self._gate.admit(request, READ, question.tenant)
        wanted = filter_of(question, grant, self._clock())
        groups = await self._finder.stats(wanted, question.group_by, question.tz)
        return _json(
            {
                "group_by": question.group_by,
                "tz": question.tz,
                "since": wanted.since,
                "until": wanted.until,
                "groups": groups,
            }
        )

    async def one_call(self, request: Request, call_id: CallId) -> CallPageOut:
        """Return a call's row, its timeline message by message, and the rules behind each decision."""
        grant = self._gate.admit(request, READ)
        page = await show_call(self._finder, call_id)
        if page is None or not may_see(grant, page.call.row.tenant):
            raise unknown("call")
        return call_page_out(page, shown_to(grant))

    async def recordings(self, request: Request, call_id: CallId) -> RecordingsOut:
        """Return the ledger of a call's audio: what is stored, what is due, what is missing and why."""
        grant = self._gate.admit(request, READ)
        call = await self._finder.call(call_id)
        if call is None or not may_see(grant, call.row.tenant):
            raise unknown("call")
        return recordings_out(await self._finder.recordings(call_id), call.row)

    async def of_order(self, request: Request, tenant: TenantId, order_id: OrderId) -> Response:
        """Return the calls of an order, oldest first, at most 1000: what a dispute asks."""
        grant = self._gate.admit(request, READ, tenant)
        found = await calls_of_order(self._finder, tenant, order_id, in_full=grant.may(READ_NUMBERS))
        return _json({"calls": found})

    async def _list_quickly(self, request: Request) -> Response:
        return await self._page(request, await _read_question(request))

    async def _search_quickly(self, request: Request) -> Response:
        return await self.search(request, await body_as(request, CallSearch))

    async def _of_order_quickly(self, request: Request) -> Response:
        place = place_as(request, OrderPlace)
        return await self.of_order(request, place.tenant, place.order_id)

    async def _page(self, request: Request, question: CallQuestion) -> Response:
        grant = self._gate.admit(request, READ, question.tenant)
        return await self._found(grant, filter_of(question, grant, self._clock(), self._cursors), question)

    async def _found(
        self, grant: Grant, wanted: CallFilter, question: CallQuestion, headers: Mapping[str, str] | None = None
    ) -> Response:
        page = await find_calls(self._finder, wanted, in_full=grant.may(READ_NUMBERS))
        following = self._cursors.encode(page.next, fingerprint(question)) if page.next else None
        return _json({"calls": page.calls, "next": following}, headers)


def _answers(
    model: type, question: type[BaseModel] | None = None, headers: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    answer = {"model": model} | ({"headers": headers} if headers else {})
    described = {"response_model": None, "response_class": Response, "responses": {200: answer}}
    return described | ({"openapi_extra": documented(question)} if question else {})


def _json(document: object, headers: Mapping[str, str] | None = None) -> Response:
    content = orjson.dumps(document, option=orjson.OPT_UTC_Z)
    return Response(content, headers=headers, media_type="application/json")
