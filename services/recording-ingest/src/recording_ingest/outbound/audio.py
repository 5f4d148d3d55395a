"""The audio index: hands files to decoder processes and survives their deaths."""

import asyncio
import contextlib
import json
import sys
from asyncio.subprocess import PIPE, Process
from datetime import timedelta
from pathlib import Path
from typing import Any

from recording_ingest.domain.recordings import Audio, Reason
from recording_ingest.ports.downloads import FetchFailed

_LINE_LIMIT = 1024 * 1024


class AudioIndex:
    """Some decoder processes, started when first needed, each busy with one file at a time."""

    def __init__(self, processes: int, *, at_most: timedelta = timedelta(minutes=2)) -> None:
        """`at_most` bounds the decoding of one file."""
        self._idle: asyncio.LifoQueue[Process | None] = asyncio.LifoQueue()
        for _ in range(processes):
            self._idle.put_nowait(None)
        self._at_most = at_most.total_seconds()
        self._running: set[Process] = set()

    async def read(self, path: Path) -> Audio:
        """Return what the whole file holds. Raises FetchFailed (not_audio, incomplete)."""
        process = await self._idle.get()
        kept: Process | None = None
        try:
            process = process if process and process.returncode is None else await self._start()
            answer = await self._ask(process, path)
            kept = process
        finally:
            if kept is None and process is not None:
                await self._end(process)
            self._idle.put_nowait(kept)
        return _audio(answer)

    def pids(self) -> list[int]:
        """Return the processes that are running."""
        return [process.pid for process in self._running]

    async def close(self) -> None:
        """End all processes."""
        for process in tuple(self._running):
            await self._end(process)

    async def _start(self) -> Process:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "recording_ingest.outbound.audio_worker", stdin=PIPE, stdout=PIPE, limit=_LINE_LIMIT
        )
        self._running.add(process)
        return process

    async def _ask(self, process: Process, path: Path) -> Any:  # noqa: ANN401 - JSON
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            async with asyncio.timeout(self._at_most):
                process.stdin.write(f"{path}\n".encode())
                await process.stdin.drain()
                return json.loads(await process.stdout.readline())
        except (OSError, ValueError) as error:
            raise FetchFailed(Reason.NOT_AUDIO, "the decoder died of it") from error
        except TimeoutError as error:
            raise FetchFailed(Reason.NOT_AUDIO, "decoding took too long") from error

    async def _end(self, process: Process) -> None:
        self._running.discard(process)
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        if process.stdin is not None:
            process.stdin.close()
        await process.wait()


def _audio(answer: Any) -> Audio:  # noqa: ANN401 - JSON
    if "reason" in answer:
        raise FetchFailed(Reason(answer["reason"]), answer["detail"])
    return Audio(
        **{
            **answer,
            "rms_dbfs": tuple(answer["rms_dbfs"]),
            "silence_ratio": tuple(answer["silence_ratio"]),
            "peaks": tuple(tuple(channel) for channel in answer["peaks"]),
        }
    )
