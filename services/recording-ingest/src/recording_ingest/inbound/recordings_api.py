"""Recordings over HTTP: audio with ranges, and its waveform. Who gets what is written down first."""

from collections.abc import AsyncIterator, Sequence
from typing import Any, Final
from uuid import UUID

from fastapi import APIRouter, Request, Response
from fastapi.responses import StreamingResponse

from fareline_chassis.auth import Grant
from fareline_chassis.problems import Problem
from recording_ingest.domain.ranges import RangeNotSatisfiable
from recording_ingest.domain.recordings import Recording, State
from recording_ingest.inbound.access import AUDIT, LISTEN, Gate, may_see, unknown
from recording_ingest.inbound.calls_api import BEARER, NO_PARAMETERS
from recording_ingest.inbound.recording_shapes import AccessLogOut, WaveformOut, access_out
from recording_ingest.ports.clock import Clock
from recording_ingest.ports.recordings import RecordingFinder
from recording_ingest.ports.storage import Store, StoreLost
from recording_ingest.usecases.open_recording import WAVEFORM, Opened, note_access, open_recording

_TYPES: Final = {
    "WAV": ("audio/wav", "wav"),
    "WAVEX": ("audio/wav", "wav"),
    "MP3": ("audio/mpeg", "mp3"),
    "OGG": ("audio/ogg", "ogg"),
    "FLAC": ("audio/flac", "flac"),
}
_AUDIO_ANSWERS: Final[dict[int | str, dict[str, Any]]] = {
    200: {"content": {"audio/mpeg": {}, "audio/wav": {}}, "description": "The whole file."},
    206: {"content": {"audio/mpeg": {}, "audio/wav": {}}, "description": "The range asked for."},
    416: {"description": "The range begins after the end; `Content-Range` says the size."},
}


class RecordingsApi:
    """The routes under `/v1/recordings`."""

    def __init__(
        self, finder: RecordingFinder, store: Store, gate: Gate, clock: Clock, others: Sequence[APIRouter] = ()
    ) -> None:
        """`others`: further routes about recordings, served beside these."""
        self._others = others
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
        waveform, accesses = "/v1/recordings/{recording_id}/waveform", "/v1/recordings/{recording_id}/access-log"
        router.add_api_route(waveform, self.waveform, summary="Peaks for drawing", dependencies=bare)
        router.add_api_route(accesses, self.accesses, summary="Who listened", dependencies=bare)
        for other in self._others:
            router.include_router(other)
        return router

    async def audio(self, request: Request, recording_id: UUID) -> Response:
        """Return the audio, or the part of it that `Range` asks for (one range; `If-Range` with the ETag)."""
        grant, entry = await self._stored(request, recording_id)
        try:
            opened = await open_recording(
                self._finder,
                self._store,
                entry,
                actor=grant.name,
                wanted=_range_asked(request, entry),
                clock=self._clock,
            )
        except RangeNotSatisfiable:
            raise Problem(416, headers={"Content-Range": f"bytes */{entry.size_bytes}"}) from None
        return await _streamed(entry, opened)

    async def waveform(self, request: Request, recording_id: UUID) -> WaveformOut:
        """Return the peaks of a stored recording."""
        grant, entry = await self._stored(request, recording_id)
        await note_access(self._finder, entry, actor=grant.name, action=WAVEFORM, part=None, clock=self._clock)
        assert entry.audio is not None
        return WaveformOut(
            recording_id=entry.recording_id,
            duration_s=entry.audio.duration_s,
            peaks=[list(channel) for channel in entry.audio.peaks],
        )

    async def accesses(self, request: Request, recording_id: UUID) -> AccessLogOut:
        """Return who was given what of a recording, oldest first; `intact` tells whether a row was changed since."""
        grant = self._gate.admit(request, AUDIT)
        entry = await self._finder.recording(str(recording_id))
        if entry is None or not may_see(grant, entry.tenant):
            raise unknown("recording")
        noted = await self._finder.accesses(entry.recording_id)
        return AccessLogOut(
            recording_id=entry.recording_id,
            intact=all(row.intact for row in noted),
            accesses=[access_out(row.access) for row in noted],
        )

    async def _stored(self, request: Request, recording_id: UUID) -> tuple[Grant, Recording]:
        grant = self._gate.admit(request, LISTEN)
        entry = await self._finder.recording(str(recording_id))
        if entry is None or not may_see(grant, entry.tenant):
            raise unknown("recording")
        if entry.state is not State.STORED:
            why = f" ({entry.reason})" if entry.reason else ""
            raise Problem(404, "The recording is not stored", detail=f"It is {entry.state}{why}.")
        return grant, entry


def _etag(entry: Recording) -> str:
    return f'"{entry.sha256}"'


def _range_asked(request: Request, entry: Recording) -> str | None:
    condition = request.headers.get("if-range")
    return request.headers.get("range") if condition in (None, _etag(entry)) else None


async def _streamed(entry: Recording, opened: Opened) -> Response:
    kind, extension = _TYPES.get(entry.audio.container if entry.audio else "", ("application/octet-stream", "bin"))
    length = opened.part.end - opened.part.start if opened.part else opened.size
    headers = {
        "Accept-Ranges": "bytes",
        "Content-Length": str(length),
        "Content-Disposition": f'attachment; filename="{entry.recording_id}.{extension}"',
        "X-Content-Type-Options": "nosniff",
        "Cache-Control": "private, no-store",
        "ETag": _etag(entry),
    }
    if opened.part:
        headers["Content-Range"] = opened.part.content_range
    try:
        first = await anext(opened.content)
    except StoreLost:
        raise Problem(500, "The audio is not in storage") from None
    body = _from_first(first, opened.content)
    return StreamingResponse(body, 206 if opened.part else 200, headers=headers, media_type=kind)


async def _from_first(first: bytes, rest: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    yield first
    async for chunk in rest:
        yield chunk
