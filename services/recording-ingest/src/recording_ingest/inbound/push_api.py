"""Audio in over HTTP: a PBX of one's own pushes each recording when it has ended."""

from collections.abc import AsyncIterator
from http import HTTPStatus
from typing import Annotated, Any, Final, Literal

from fastapi import APIRouter, Depends, Path, Request, Response
from pydantic import BaseModel, ConfigDict, Field
from starlette.requests import ClientDisconnect

from fareline_chassis.problems import Problem, described
from recording_ingest.domain.pushes import Push, PushRefused, WrongForm, promised_digests, raw_form
from recording_ingest.domain.recordings import Reason
from recording_ingest.inbound.access import WRITE, Gate
from recording_ingest.inbound.calls_api import BEARER
from recording_ingest.inbound.examples import header
from recording_ingest.inbound.parameters import documented, read_as
from recording_ingest.inbound.recording_shapes import RecordingOut, recording_out
from recording_ingest.ports.downloads import FetchFailed
from recording_ingest.ports.pushes import TenantsOf
from recording_ingest.usecases.receive_recording import Receiving, Sent, Taken, receive_recording

AccountName = Annotated[str, Path(pattern=r"^[a-z0-9][a-z0-9-]{0,62}$")]
PbxCallId = Annotated[str, Path(max_length=200, pattern=r"^[\x21-\x7e]+$", description="The PBX's own id of the call.")]
_REFUSALS: Final = {
    Reason.TOO_LARGE: HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    Reason.SOURCE_FAILED: HTTPStatus.REQUEST_TIMEOUT,
}
_WHERE: Final = {"Location": header("Where to listen.", "/v1/recordings/6f1c3c0e-55a2-5d0b-9a55-0c7c3c1f2a10")}


def _refusal(status: int, meaning: str, detail: str, title: str | None = None) -> dict[str, Any]:
    title = title or HTTPStatus(status).phrase
    return described(meaning, {"type": "about:blank", "title": title, "status": status, "detail": detail})


_ANSWERS: Final[dict[int | str, dict[str, Any]]] = {
    200: {"model": RecordingOut, "description": "The same content was stored before.", "headers": _WHERE},
    201: {"model": RecordingOut, "description": "Stored.", "headers": _WHERE},
    408: _refusal(408, "It came too slowly.", "source_failed: less than 1024 bytes a second"),
    409: _refusal(
        409,
        "Other content is stored for this part.",
        "sha256 of what is stored: 9f86d081884c7d659a2feaa0c55ad015",
        "Other content is stored",
    ),
    410: _refusal(410, "Somebody of this call asked to be forgotten.", "This call was erased: do not send it again."),
    413: _refusal(413, "Larger than allowed.", "At most 524288000 bytes are taken."),
    415: _refusal(415, "Neither WAV nor MP3 nor L16.", "audio/wav, audio/mpeg or audio/L16;rate=… is taken"),
    422: _refusal(422, "The content is no whole audio.", "not_audio: no known kind of audio"),
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
            openapi_extra=documented(PushQuestion),
            summary="Push a recording",
            response_model=None,
            responses=dict(_ANSWERS),
        )
        return router

    async def put(
        self,
        request: Request,
        account: AccountName,
        pbx_call_id: PbxCallId,
        question: Annotated[PushQuestion, Depends(read_as(PushQuestion))],
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
