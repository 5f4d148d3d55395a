"""The call log over HTTP."""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query, Request
from fastapi.security import HTTPBearer
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from fareline_chassis.problems import Problem
from recording_ingest.domain.search import MOST, BadQuestion, CallFilter, Cursor, period
from recording_ingest.inbound.access import READ, Gate, may_see, shown_to, tenants_of, unknown
from recording_ingest.inbound.shapes import (
    CallPageOut,
    CallsOut,
    RecordingsOut,
    call_out,
    call_page_out,
    page_out,
    recording_out,
)
from recording_ingest.ports import CallFinder, Clock
from recording_ingest.usecases.find_calls import calls_of_order, find_calls
from recording_ingest.usecases.show_call import show_call

BEARER = Depends(HTTPBearer(auto_error=False, description="A token that names its tenants and scopes."))
Word = Annotated[str, Field(max_length=256, pattern=r"^[^\x00]*$")]
CallId = Annotated[str, Path(max_length=256, pattern=r"^[^\x00]+$")]


class CallQuestion(BaseModel):
    """The filters of the call log; an unknown one is refused."""

    model_config = ConfigDict(extra="forbid")

    since: Annotated[
        AwareDatetime | None,
        Field(description="Calls started at or after; default 24 h before `until`, at most 31 days back."),
    ] = None
    until: Annotated[AwareDatetime | None, Field(description="Calls started before; default now.")] = None
    tenant: Word | None = None
    number: Annotated[Word | None, Field(description="The proxy number dialled, E.164.", examples=["+74950000101"])] = (
        None
    )
    order_id: Word | None = None
    disposition: Annotated[Word | None, Field(description="`answered no_answer busy failed cancelled other`")] = None
    reason: Word | None = None
    source: Annotated[Word | None, Field(description="`replica binder default other`")] = None
    direction: Annotated[Word | None, Field(description="`driver_to_client client_to_driver`")] = None
    recording: Annotated[str | None, Field(pattern="^(none|expected|ready|stored|missing)$")] = None
    driver_id: Word | None = None
    client_id: Word | None = None
    min_talk_s: Annotated[float | None, Field(ge=0, allow_inf_nan=False)] = None
    updated_since: Annotated[AwareDatetime | None, Field(description="Rows changed since: for incremental pulls.")] = (
        None
    )
    cursor: Annotated[str | None, Field(max_length=600)] = None
    limit: Annotated[int, Field(ge=1, le=MOST)] = 100


class CallsApi:
    """The routes under `/v1/calls` and the calls of an order."""

    def __init__(self, finder: CallFinder, gate: Gate, clock: Clock) -> None:
        self._finder = finder
        self._gate = gate
        self._clock = clock

    def router(self) -> APIRouter:
        """Return the routes."""
        router = APIRouter(tags=["calls"], dependencies=[BEARER])
        router.add_api_route("/v1/calls", self.list_calls, summary="Find calls")
        router.add_api_route("/v1/calls/{call_id}", self.one_call, summary="Explain a call")
        router.add_api_route("/v1/calls/{call_id}/recordings", self.recordings, summary="The recordings of a call")
        router.add_api_route(
            "/v1/tenants/{tenant}/orders/{order_id}/calls", self.of_order, summary="Everything tried for an order"
        )
        return router

    async def list_calls(self, request: Request, question: Annotated[CallQuestion, Query()]) -> CallsOut:
        """Return calls started in a period, newest first, page by page; follow `next` as `cursor`."""
        grant = self._gate.admit(request, READ, question.tenant)
        try:
            wanted = _filter(question, tenants_of(grant, question.tenant), self._clock())
        except BadQuestion as bad:
            raise Problem(
                400,
                "The request is not valid",
                detail="See errors for the fields.",
                errors=[{"pointer": f"query/{bad.field}", "detail": bad.why}],
            ) from None
        return page_out(await find_calls(self._finder, wanted), shown_to(grant))

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
        return RecordingsOut(recordings=[recording_out(entry) for entry in await self._finder.recordings(call_id)])

    async def of_order(self, request: Request, tenant: CallId, order_id: CallId) -> CallsOut:
        """Return the calls of an order, oldest first, at most 1000: what a dispute asks."""
        grant = self._gate.admit(request, READ, tenant)
        found = await calls_of_order(self._finder, tenant, order_id)
        return CallsOut(calls=[call_out(call, shown_to(grant)) for call in found])


def _filter(question: CallQuestion, tenants: tuple[str, ...] | None, now: datetime) -> CallFilter:
    since, until = period(question.since, question.until, now)
    same = ("order_id", "disposition", "reason", "source", "direction", "recording", "driver_id", "client_id",
            "min_talk_s", "updated_since", "limit")  # fmt: skip
    return CallFilter(
        tenants=tenants,
        since=since,
        until=until,
        number=_e164(question.number),
        cursor=Cursor.decode(question.cursor) if question.cursor else None,
        **{name: getattr(question, name) for name in same},
    )


def _e164(number: str | None) -> str | None:
    """Return the number with its plus sign, which many clients leave unescaped and so turn into a space."""
    return f"+{number.strip().lstrip('+')}" if number else None
