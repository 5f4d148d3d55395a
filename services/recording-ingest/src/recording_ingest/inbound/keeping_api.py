"""Legal holds and erasures over HTTP."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, ConfigDict, Field, model_validator

from fareline_chassis.privacy import redact_phones
from recording_ingest.domain.keeping import Hold, Person, Receipt
from recording_ingest.inbound.access import ERASE, HOLD, Gate, may_see, tenants_of, unknown
from recording_ingest.inbound.calls_api import BEARER, NO_PARAMETERS, CallId
from recording_ingest.ports.calls import CallFinder
from recording_ingest.ports.keeping import Holds
from recording_ingest.usecases.forget import Forgetting, erase_person

Word = Annotated[str, Field(min_length=1, max_length=256, pattern=r"^[^\x00]+$")]
Phone = Annotated[str, Field(pattern=r"^\+[1-9][0-9]{6,14}$")]


class HoldIn(BaseModel):
    """Why a call is held: a case number, not a story. Phones in it are masked."""

    model_config = ConfigDict(extra="forbid")

    reason: Word


class HoldOut(BaseModel):
    """A hold that is in force."""

    call_id: str
    tenant: str | None
    reason: str
    actor: str
    since: datetime


class HoldsOut(BaseModel):
    """Holds in force, oldest first, at most 1000."""

    holds: list[HoldOut]


class ErasureIn(BaseModel):
    """Whom to forget: by phones and by the platform's ids; give all that are known."""

    model_config = ConfigDict(extra="forbid")

    tenant: Word
    phones: Annotated[list[Phone], Field(max_length=20)] = []
    driver_id: Word | None = None
    client_id: Word | None = None

    @model_validator(mode="after")
    def _somebody(self) -> "ErasureIn":
        if not (self.phones or self.driver_id or self.client_id):
            raise ValueError("name at least one of phones, driver_id, client_id")
        return self


class ReceiptOut(BaseModel):
    """What was done. `held`: calls kept by a legal hold, erased once it is lifted.

    `topics_clear_at`: by then the retention of Kafka's topics has removed what stands there; what arrives from them
    until then is erased on arrival.
    """

    erasure_id: str
    tenant: str
    asked_at: datetime
    finished_at: datetime | None
    calls: int
    recordings: int
    held: int
    topics_clear_at: datetime


class KeepingApi:
    """The routes `/v1/calls/{call_id}/legal-hold`, `/v1/legal-holds` and `/v1/erasures`."""

    def __init__(self, tools: Forgetting, holds: Holds, finder: CallFinder, gate: Gate) -> None:
        self._tools = tools
        self._holds = holds
        self._finder = finder
        self._gate = gate

    def router(self) -> APIRouter:
        """Return the routes."""
        router = APIRouter(tags=["keeping"], dependencies=[BEARER, NO_PARAMETERS])
        place, holds, erasures = "/v1/calls/{call_id}/legal-hold", "/v1/legal-holds", "/v1/erasures"
        router.add_api_route(place, self.place, methods=["PUT"], summary="Hold a call")
        router.add_api_route(place, self.lift, methods=["DELETE"], status_code=204, summary="Let a call go")
        router.add_api_route(place, self.hold, summary="The hold on a call")
        router.add_api_route(holds, self.holds, summary="Calls that are held")
        router.add_api_route(erasures, self.erase, methods=["POST"], status_code=201, summary="Forget a person")
        router.add_api_route(f"{erasures}/{{erasure_id}}", self.receipt, summary="The receipt of an erasure")
        return router

    async def place(self, request: Request, call_id: CallId, body: HoldIn) -> HoldOut:
        """Keep a call with its audio, whatever retention and erasure say. A call on hold stays as it is held."""
        grant = self._gate.admit(request, HOLD)
        tenant = await self._tenant_of(request, call_id)
        hold = Hold(call_id, tenant, redact_phones(body.reason), grant.name, self._tools.clock())
        await self._holds.place_hold(hold)
        return _hold_out(await self._holds.hold(call_id) or hold)

    async def lift(self, request: Request, call_id: CallId) -> Response:
        """Let a call go: what is due by then is removed within the hour."""
        grant = self._gate.admit(request, HOLD)
        await self._tenant_of(request, call_id)
        if not await self._holds.lift_hold(call_id, actor=grant.name, now=self._tools.clock()):
            raise unknown("hold")
        return Response(status_code=204)

    async def hold(self, request: Request, call_id: CallId) -> HoldOut:
        """Return the hold on a call; 404 where there is none."""
        self._gate.admit(request, HOLD)
        await self._tenant_of(request, call_id)
        found = await self._holds.hold(call_id)
        if found is None:
            raise unknown("hold")
        return _hold_out(found)

    async def holds(self, request: Request) -> HoldsOut:
        """Return every hold in force for the tenants of the token."""
        grant = self._gate.admit(request, HOLD)
        return HoldsOut(holds=[_hold_out(hold) for hold in await self._holds.holds(tenants_of(grant, None))])

    async def erase(self, request: Request, body: ErasureIn, response: Response) -> ReceiptOut:
        """Forget a person: phones, labels and audio of every call so far go, from tables, storage and queues.

        The calls' rows stay and name nobody. Calls under legal hold are kept until it is lifted.
        """
        grant = self._gate.admit(request, ERASE, body.tenant)
        person = Person(body.tenant, tuple(body.phones), body.driver_id, body.client_id)
        receipt = await erase_person(self._tools, person, actor=grant.name)
        response.headers["Location"] = f"/v1/erasures/{receipt.erasure_id}"
        return _receipt_out(receipt)

    async def receipt(self, request: Request, erasure_id: UUID) -> ReceiptOut:
        """Return what was done about a request so far."""
        grant = self._gate.admit(request, ERASE)
        receipt = await self._tools.erasures.receipt(str(erasure_id))
        if receipt is None or not grant.serves(receipt.tenant):
            raise unknown("erasure")
        return _receipt_out(receipt)

    async def _tenant_of(self, request: Request, call_id: CallId) -> str | None:
        call = await self._finder.call(call_id)
        if call is None or not may_see(self._gate.admit(request, HOLD), call.row.tenant):
            raise unknown("call")
        return call.row.tenant


def _hold_out(hold: Hold) -> HoldOut:
    return HoldOut(call_id=hold.call_id, tenant=hold.tenant, reason=hold.reason, actor=hold.actor, since=hold.since)


def _receipt_out(receipt: Receipt) -> ReceiptOut:
    return ReceiptOut(
        erasure_id=receipt.erasure_id,
        tenant=receipt.tenant,
        asked_at=receipt.asked_at,
        finished_at=receipt.finished_at,
        calls=receipt.calls,
        recordings=receipt.recordings,
        held=receipt.held,
        topics_clear_at=receipt.topics_clear_at,
    )
