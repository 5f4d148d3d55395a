"""Recordings over HTTP: audio with ranges, and its waveform. Who gets what is written down first."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from typing import Any, Final
from uuid import UUID

from fastapi import APIRouter, Request, Response
from fastapi.responses import StreamingResponse

from fareline_chassis.logs import get_logger
from fareline_chassis.problems import Problem, described
from recording_ingest.domain.ranges import RangeNotSatisfiable
from recording_ingest.domain.recordings import Recording, State
from recording_ingest.inbound.access import LISTEN as MAY_LISTEN
from recording_ingest.inbound.access import Gate, may_see, unknown
from recording_ingest.inbound.access_log_api import AccessLogApi
from recording_ingest.inbound.askers import REQUEST_ID, asker_of
from recording_ingest.inbound.calls_api import BEARER, NO_PARAMETERS
from recording_ingest.inbound.examples import REQUEST_ID_HEADER, header
from recording_ingest.inbound.recording_shapes import WaveformOut
from recording_ingest.ports.access_log import Asker, Outcome
from recording_ingest.ports.clock import Clock
from recording_ingest.ports.recordings import RecordingFinder
from recording_ingest.ports.storage import Store, StoreLost
from recording_ingest.usecases.open_recording import (
    LISTEN,
    WAVEFORM,
    Opened,
    note_access,
    note_end,
    open_recording,
)

Ended = Callable[[Outcome, int], None]
log = get_logger(__name__)

_TYPES: Final = {
    "WAV": ("audio/wav", "wav"),
    "WAVEX": ("audio/wav", "wav"),
    "MP3": ("audio/mpeg", "mp3"),
    "OGG": ("audio/ogg", "ogg"),
    "FLAC": ("audio/flac", "flac"),
}
_BYTES: Final = {"schema": {"type": "string", "format": "binary"}}
_OF_AUDIO: Final = {
    "ETag": header("For `If-Range`: the SHA-256 of the whole file.", '"9f86d081884c7d659a2feaa0c55ad015"'),
    "Content-Disposition": header("A name to save it under.", 'attachment; filename="6f1c3c0e-55a2-5d0b.wav"'),
    REQUEST_ID: REQUEST_ID_HEADER,
}
_NO_RANGE: Final = {"type": "about:blank", "title": "Requested Range Not Satisfiable", "status": 416}
_AUDIO_ANSWERS: Final[dict[int | str, dict[str, Any]]] = {
    200: {
        "content": {"audio/mpeg": _BYTES, "audio/wav": _BYTES},
        "description": "The whole file.",
        "headers": _OF_AUDIO,
    },
    206: {
        "content": {"audio/mpeg": _BYTES, "audio/wav": _BYTES},
        "description": "The range asked for.",
        "headers": _OF_AUDIO | {"Content-Range": header("Which bytes, and of how many.", "bytes 0-99/816044")},
    },
    416: {
        **described("The range begins after the end.", _NO_RANGE),
        "headers": {"Content-Range": header("How many bytes there are.", "bytes */816044")},
    },
}


class RecordingsApi:
    """The routes under `/v1/recordings`."""

    def __init__(
        self,
        finder: RecordingFinder,
        store: Store,
        gate: Gate,
        clock: Clock,
        others: Sequence[APIRouter] = (),
        *,
        reason_required: bool = False,
    ) -> None:
        """`others`: further routes about recordings, served beside these. `reason_required`: nobody listens without."""
        self._others = others
        self._reason_required = reason_required
        self._ends: set[asyncio.Task[None]] = set()
        self._finder = finder
        self._store = store
        self._gate = gate
        self._clock = clock

    def router(self) -> APIRouter:
        """Return the routes."""
        router = APIRouter(tags=["recordings"], dependencies=[BEARER])
        bare = [NO_PARAMETERS]
        router.add_api_route(
            "/v1/recordings/{recording_id}",
            self.audio,
            summary="Listen",
            dependencies=bare,
            response_class=Response,
            response_model=None,
            responses=dict(_AUDIO_ANSWERS),
        )
        waveform = "/v1/recordings/{recording_id}/waveform"
        router.add_api_route(waveform, self.waveform, summary="Peaks for drawing", dependencies=bare)
        for other in (AccessLogApi(self._finder, self._gate, self._clock).router(), *self._others):
            router.include_router(other)
        return router

    async def audio(self, request: Request, recording_id: UUID) -> Response:
        """Return the audio, or the part of it that `Range` asks for (one range; `If-Range` with the ETag).

        `X-Access-Reason` says why, for the access log.
        """
        asker, entry = await self._stored(request, recording_id, LISTEN)
        wanted = _range_asked(request, entry)
        try:
            opened = await open_recording(
                self._finder, self._store, entry, asker=asker, wanted=wanted, clock=self._clock
            )
        except RangeNotSatisfiable:
            raise Problem(416, headers={"Content-Range": f"bytes */{entry.size_bytes}"}) from None
        return await _streamed(entry, opened, self._ending(opened))

    async def waveform(self, request: Request, response: Response, recording_id: UUID) -> WaveformOut:
        """Return the peaks of a stored recording. `X-Access-Reason` says why, for the access log."""
        asker, entry = await self._stored(request, recording_id, WAVEFORM)
        await note_access(self._finder, entry, asker=asker, action=WAVEFORM, clock=self._clock)
        assert entry.audio is not None
        response.headers[REQUEST_ID] = asker.request_id
        return WaveformOut(
            recording_id=entry.recording_id,
            duration_s=entry.audio.duration_s,
            peaks=[list(channel) for channel in entry.audio.peaks],
        )

    async def _stored(self, request: Request, recording_id: UUID, action: str) -> tuple[Asker, Recording]:
        try:
            grant = self._gate.admit(request, MAY_LISTEN)
        except Problem:
            await self._refused(request, await self._finder.recording(str(recording_id)), action)
            raise
        asker = asker_of(request, grant, reason_required=self._reason_required)
        entry = await self._finder.recording(str(recording_id))
        if entry is None or not may_see(grant, entry.tenant):
            await self._refused(request, entry, action)
            raise unknown("recording")
        if entry.state is not State.STORED:
            why = f" ({entry.reason})" if entry.reason else ""
            raise Problem(404, "The recording is not stored", detail=f"It is {entry.state}{why}.")
        return asker, entry

    async def _refused(self, request: Request, entry: Recording | None, action: str) -> None:
        """Write down who was not let; who has no token is nobody."""
        grant = self._gate.known(request)
        if grant is not None and entry is not None:
            asker = asker_of(request, grant)
            await note_access(
                self._finder, entry, asker=asker, action=action, clock=self._clock, outcome=Outcome.REFUSED
            )

    def _ending(self, opened: Opened) -> Ended:
        """Return what to call at the end. It writes in a task of its own: the request's may be cancelled by then."""

        async def write(outcome: Outcome, sent: int) -> None:
            try:
                await note_end(self._finder, opened.noted, outcome, sent, self._clock)
            except Exception as error:  # noqa: BLE001 - the row of the beginning stands: granted, and no end known
                log.warning("end of an access not noted", access_id=opened.noted.access_id, error=type(error).__name__)

        def ended(outcome: Outcome, sent: int) -> None:
            task = asyncio.create_task(write(outcome, sent))
            self._ends.add(task)
            task.add_done_callback(self._ends.discard)

        return ended


def _etag(entry: Recording) -> str:
    return f'"{entry.sha256}"'


def _range_asked(request: Request, entry: Recording) -> str | None:
    condition = request.headers.get("if-range")
    return request.headers.get("range") if condition in (None, _etag(entry)) else None


async def _streamed(entry: Recording, opened: Opened, ended: Ended) -> Response:
    kind, extension = _TYPES.get(entry.audio.container if entry.audio else "", ("application/octet-stream", "bin"))
    headers = {
        "Accept-Ranges": "bytes",
        "Content-Length": str(opened.length),
        "Content-Disposition": f'attachment; filename="{entry.recording_id}.{extension}"',
        "X-Content-Type-Options": "nosniff",
        "Cache-Control": "private, no-store",
        "ETag": _etag(entry),
        REQUEST_ID: opened.noted.access.asker.request_id,
    }
    if opened.part:
        headers["Content-Range"] = opened.part.content_range
    try:
        first = await anext(opened.content)
    except StoreLost:
        ended(Outcome.LOST, 0)
        raise Problem(500, "The audio is not in storage") from None
    body = _counted(first, opened, ended)
    return StreamingResponse(body, 206 if opened.part else 200, headers=headers, media_type=kind)


async def _counted(first: bytes, opened: Opened, ended: Ended) -> AsyncIterator[bytes]:
    sent = 0
    try:
        yield first
        sent = len(first)
        async for chunk in opened.content:
            yield chunk
            sent += len(chunk)
    finally:
        ended(Outcome.SERVED if sent == opened.length else Outcome.CUT, sent)
