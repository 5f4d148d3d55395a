"""Receives pushed audio: a stream to disk with flat memory, capped in size, time and slowness."""

import asyncio
import struct
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from pathlib import Path

import numpy as np

from recording_ingest.domain.pushes import Raw
from recording_ingest.domain.recordings import Reason
from recording_ingest.outbound.downloads import Caps
from recording_ingest.outbound.files import Sink
from recording_ingest.ports.downloads import Fetched, FetchFailed

_BLOCK = 256 * 1024
_SAMPLE = 2
_PCM = 1


class PushInbox:
    """Writes bodies to disk within the same limits as downloads."""

    def __init__(self, caps: Caps) -> None:
        self._caps = caps

    async def receive(
        self, body: AsyncIterator[bytes], into: Path, *, algorithms: Sequence[str]
    ) -> tuple[Mapping[str, bytes], Fetched]:
        """Write a body to `into`, flushed to disk; return the digests asked for, and what it is. Raises FetchFailed."""
        sink = Sink(into, tuple(algorithms))
        try:
            async with asyncio.timeout(self._caps.patience.total.total_seconds()):
                await self._write(body, sink)
            fetched = await asyncio.to_thread(sink.finish)
            return sink.digests(), fetched
        except TimeoutError:
            raise FetchFailed(Reason.SOURCE_FAILED, "the content took too long") from None
        finally:
            sink.close()

    async def with_header(self, path: Path, raw: Raw) -> Fetched:
        """Make a WAV file of the samples at `path`, in its place. Raises FetchFailed where a sample is cut."""
        return await asyncio.to_thread(_with_header, path, raw)

    async def _write(self, body: AsyncIterator[bytes], sink: Sink) -> None:
        started, held = time.monotonic(), bytearray()
        async for chunk in body:
            held += chunk
            self._check(sink.size + len(held), time.monotonic() - started)
            if len(held) >= _BLOCK:
                await asyncio.to_thread(sink.write, bytes(held))
                held.clear()
        await asyncio.to_thread(sink.write, bytes(held))

    def _check(self, size: int, elapsed: float) -> None:
        if size > self._caps.size_bytes:
            raise FetchFailed(Reason.TOO_LARGE, "larger than allowed", final=True)
        if elapsed > 10 and size / elapsed < self._caps.least_rate:  # noqa: PLR2004 - see Caps
            raise FetchFailed(Reason.SOURCE_FAILED, "the content drips")


def _with_header(path: Path, raw: Raw) -> Fetched:
    size = path.stat().st_size
    if size % (_SAMPLE * raw.channels):
        raise FetchFailed(Reason.INCOMPLETE, "the last sample is cut", final=True)
    made = path.with_name(f"{path.name}.wav")
    sink = Sink(made)
    try:
        sink.write(_wav_header(size, raw))
        with path.open("rb") as samples:
            while block := samples.read(_BLOCK):
                sink.write(np.frombuffer(block, ">i2").astype("<i2").tobytes())
        fetched = sink.finish()
        made.replace(path)
    finally:
        sink.close()
        made.unlink(missing_ok=True)
    return fetched


def _wav_header(size: int, raw: Raw) -> bytes:
    frame = _SAMPLE * raw.channels
    form = struct.pack("<HHIIHH", _PCM, raw.channels, raw.rate, raw.rate * frame, frame, 8 * _SAMPLE)
    return (
        b"RIFF"
        + struct.pack("<I", 36 + size)
        + b"WAVEfmt "
        + struct.pack("<I", 16)
        + form
        + b"data"
        + struct.pack("<I", size)
    )
