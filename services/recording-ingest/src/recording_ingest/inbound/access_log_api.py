"""Who listened, looked for a person, or took the call log away: by recording, by reader, by whom they looked for."""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Depends, Request
from pydantic import BaseModel, ConfigDict, Field

from recording_ingest.domain.search import MOST, BadQuestion, period
from recording_ingest.inbound.access import AUDIT, Gate, may_see, tenants_of, unknown
from recording_ingest.inbound.calls_api import NO_PARAMETERS
from recording_ingest.inbound.parameters import documented, read_as
from recording_ingest.inbound.questions import Instant, Number, Word, refused
from recording_ingest.ports.access_log import AccessFilter, NotedAccess
from recording_ingest.ports.clock import Clock
from recording_ingest.ports.recordings import RecordingFinder

Action = Literal["listen", "waveform", "search", "export"]


class AccessOut(BaseModel):
    """One time that somebody was given something, or was refused.

    `byte_range` as in Content-Range, null for the whole. `outcome`: `granted` (bytes may have gone out, the end is not
    known), `served` (all of them did), `cut` (some did), `lost` (storage had none), `refused`; null in rows of before
    outcomes were noted. `bytes_sent` and `ended_at` are known with the end. `reason` is what the asker gave as such.
    A search or an export is about no recording; a search has `phone_hash`, the same for the same phone as long as the
    lookup key is.
    """

    access_id: int
    recording_id: str | None
    call_id: str | None
    actor: str
    auth_method: str | None
    action: str
    byte_range: str | None
    phone_hash: str | None
    reason: str | None
    ip: str | None
    request_id: str | None
    outcome: str | None
    bytes_sent: int | None
    at: datetime
    ended_at: datetime | None


class AccessLogOut(BaseModel):
    """Who was given what, oldest first. `intact`: every row is as it was written."""

    recording_id: str
    intact: bool
    accesses: list[AccessOut]


class AccessesOut(BaseModel):
    """Who was given what, newest first. `intact`: every row shown is as it was written; `next` as `cursor`: go on."""

    intact: bool
    accesses: list[AccessOut]
    next: int | None


class AccessQuestion(BaseModel):
    """Whose accesses, when; an unknown parameter is refused."""

    model_config = ConfigDict(extra="forbid")

    actor: Annotated[Word | None, Field(description="The name of a token.", examples=["analyst"])] = None
    action: Annotated[Action | None, Field(description="What was asked for.")] = None
    tenant: Annotated[Word | None, Field(examples=["demo"])] = None
    since: Annotated[Instant | None, Field(description="Default 24 h before `until`, at most 31 days back.")] = None
    until: Annotated[Instant | None, Field(description="Default now.")] = None
    cursor: Annotated[int | None, Field(ge=1, le=2**63 - 1, description="`next` of the page before.")] = None
    limit: Annotated[int, Field(ge=1, le=MOST)] = 100


class AccessSearch(AccessQuestion):
    """The same with a person's phone, which has no place in a URL. Send every page's question whole again."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"phone": "+79031112233"}]})

    phone: Annotated[Number | None, Field(description="Who looked for it, in full.", examples=["+79031112233"])] = None


class AccessLogApi:
    """`/v1/recordings/{recording_id}/access-log`, `/v1/access-log` and `/v1/access-log/search`."""

    def __init__(self, finder: RecordingFinder, gate: Gate, clock: Clock) -> None:
        self._finder = finder
        self._gate = gate
        self._clock = clock

    def router(self) -> APIRouter:
        """Return the routes."""
        router = APIRouter()
        of_one, of_all = "/v1/recordings/{recording_id}/access-log", "/v1/access-log"
        router.add_api_route(of_one, self.of_recording, summary="Who listened", dependencies=[NO_PARAMETERS])
        router.add_api_route(of_all, self.find, summary="Who was given what", openapi_extra=documented(AccessQuestion))
        by_phone, about = f"{of_all}/search", "Who looked for a phone"
        router.add_api_route(by_phone, self.search, methods=["POST"], summary=about, dependencies=[NO_PARAMETERS])
        return router

    async def of_recording(self, request: Request, recording_id: UUID) -> AccessLogOut:
        """Return who was given what of a recording, oldest first; `intact` tells whether a row was changed since."""
        grant = self._gate.admit(request, AUDIT)
        entry = await self._finder.recording(str(recording_id))
        if entry is None or not may_see(grant, entry.tenant):
            raise unknown("recording")
        noted = await self._finder.accesses(entry.recording_id)
        return AccessLogOut(recording_id=entry.recording_id, intact=_intact(noted), accesses=_out(noted))

    async def find(
        self, request: Request, question: Annotated[AccessQuestion, Depends(read_as(AccessQuestion))]
    ) -> AccessesOut:
        """Return who was given what in a period, newest first, page by page: of one token, or of all."""
        return await self._found(request, question, "query/")

    async def search(self, request: Request, question: AccessSearch) -> AccessesOut:
        """Return the same of searches for a phone in full, whichever lookup key of the file hashed it."""
        return await self._found(request, question, "#/", question.phone)

    async def _found(
        self, request: Request, question: AccessQuestion, place: str, phone: str | None = None
    ) -> AccessesOut:
        grant = self._gate.admit(request, AUDIT, question.tenant)
        try:
            since, until = period(question.since, question.until, self._clock())
            found = await self._finder.find_accesses(
                AccessFilter(
                    tenants=tenants_of(grant, question.tenant),
                    since=since,
                    until=until,
                    actor=question.actor,
                    action=question.action,
                    phone=phone,
                    before=question.cursor,
                    limit=question.limit,
                )
            )
        except BadQuestion as bad:
            raise refused(f"{place}{bad.field}", bad.why) from None
        following = found[-1].access_id if len(found) == question.limit else None
        return AccessesOut(intact=_intact(found), accesses=_out(found), next=following)


def _intact(noted: Sequence[NotedAccess]) -> bool:
    return all(row.intact for row in noted)


def _out(noted: Sequence[NotedAccess]) -> list[AccessOut]:
    return [AccessOut(**{name: value for name, value in asdict(row).items() if name != "intact"}) for row in noted]
