"""Audio in over HTTP: a PBX of one's own pushes each recording when it has ended."""

from collections.abc import AsyncIterator
from http import HTTPStatus
from typing import Annotated, Final, Literal

from fastapi import APIRouter, Path, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field
from starlette.requests import ClientDisconnect

from fareline_chassis.problems import Problem
from recording_ingest.domain.pushes import Push, PushRefused, WrongForm, promised_digests, raw_form
from recording_ingest.domain.recordings import Reason
from recording_ingest.inbound.access import WRITE, Gate
from recording_ingest.inbound.calls_api import BEARER
from recording_ingest.inbound.recording_shapes import recording_out
from recording_ingest.ports.downloads import FetchFailed
from recording_ingest.ports.pushes import TenantsOf
from recording_ingest.usecases.receive_recording import Receiving, Sent, Taken, receive_recording

AccountName = Annotated[str, Path(pattern=r"^[a-z0-9][a-z0-9-]{0,62}$")]
PbxCallId = Annotated[str, Path(max_length=200, pattern=r"^[\x21-\x7e]+$", description="The PBX's own id of the call.")]
_REFUSALS: Final = {
    Reason.TOO_LARGE: HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    Reason.SOURCE_FAILED: HTTPStatus.REQUEST_TIMEOUT,
}
_ANSWERS: Final[dict[int | str, dict[str, object]]] = {
    200: {"description": "The same content was stored before."},
    201: {"description": "Stored; `Location` is where to listen."},
    409: {"description": "Other content is stored for this part."},
    410: {"description": "Somebody of this call asked to be forgotten."},
    413: {"description": "Larger than allowed."},
    415: {"description": "Neither WAV nor MP3 nor L16."},
    422: {"description": "The content is no whole audio; the detail says why."},
}


class PushQuestion(BaseModel):
    """Which part of the call it is, and whose voice; an unknown parameter is refused."""

    model_config = ConfigDict(extra="forbid")

    part: Annotated[int, Field(ge=1, le=100)] = 1
    channel: Literal["both", "caller", "callee"] = "both"


class PushApi:
    """The route `PUT /v1/recordings/{account}/{pbx_call_id}`."""

    def __init__(self, tools: Receiving, gate: Gate, tenants_of: TenantsOf, largest: int) -> None:
        """`largest`: bytes a recording may have."""
        self._tools = tools
        self._gate = gate
        self._tenants_of = tenants_of
        self._largest = largest

    def router(self) -> APIRouter:
        """Return the route."""
        router = APIRouter(tags=["recordings"], dependencies=[BEARER])
        router.add_api_route(
            "/v1/recordings/{account}/{pbx_call_id}",
            self.put,
            methods=["PUT"],
            summary="Push a recording",
            response_model=None,
            responses=dict(_ANSWERS),
        )
        return router

    async def put(
        self, request: Request, account: AccountName, pbx_call_id: PbxCallId, question: Annotated[PushQuestion, Query()]
    ) -> Response:
        """Take in one part of a call's audio: WAV, MP3, or `audio/L16;rate=8000;channels=1` (then kept as WAV).

        Idempotent; the call need not be known yet. `Content-Digest` (`sha-256`, `sha-512`) is checked when it is given.
        """
        tenant = self._admitted(request, account)
        push = Push(account, pbx_call_id, tenant, question.part, question.channel)
        if await self._tools.intake.erased(push.call_id):
            raise Problem(410, detail="This call was erased: do not send it again.")
        try:
            taken, entry = await receive_recording(self._tools, push, self._sent(request))
        except WrongForm as refused:
            raise Problem(415, detail=str(refused)) from None
        except PushRefused as refused:
            raise Problem(400, detail=str(refused)) from None
        except ClientDisconnect:
            raise Problem(400, detail="The content was cut.") from None
        except FetchFailed as failure:
            status = _REFUSALS.get(failure.reason, HTTPStatus.UNPROCESSABLE_ENTITY)
            raise Problem(status, detail=f"{failure.reason}: {failure.detail}") from None
        if taken is Taken.CONFLICT:
            raise Problem(409, "Other content is stored", detail=f"sha256 of what is stored: {entry.sha256}")
        body = recording_out(entry).model_dump_json()
        headers = {"Location": f"/v1/recordings/{entry.recording_id}"}
        return Response(body, 201 if taken is Taken.NEW else 200, headers=headers, media_type="application/json")

    def _admitted(self, request: Request, account: str) -> str | None:
        """Return the account's tenant if it has one alone. Raises Problem: the token must serve all of them."""
        grant = self._gate.admit(request, WRITE)
        tenants = self._tenants_of(account)
        if not tenants or not any(grant.serves(tenant) for tenant in tenants):
            raise Problem(404, detail="There is no such account.")
        for tenant in tenants:
            self._gate.admit(request, WRITE, tenant)
        return tenants[0] if len(tenants) == 1 else None

    def _sent(self, request: Request) -> Sent:
        length = request.headers.get("content-length", "")
        if length.isdecimal() and int(length) > self._largest:
            raise Problem(413, detail=f"At most {self._largest} bytes are taken.")
        raw = raw_form(request.headers.get("content-type", ""))
        promised = promised_digests(request.headers.get("content-digest"))
        return Sent(_chunks(request), raw, promised)


async def _chunks(request: Request) -> AsyncIterator[bytes]:
    async for chunk in request.stream():
        yield chunk
