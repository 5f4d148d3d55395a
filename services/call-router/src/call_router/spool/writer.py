"""Appending to the spool: in the kernel's hands when `append` returns, on the platter some 50 ms later."""

import asyncio
import os
import time
from collections.abc import Callable
from datetime import timedelta

from call_router.ports import JournalRefused
from call_router.spool.segments import Position, SpoolFolder

SYNC_EVERY = timedelta(milliseconds=50)
SEGMENT_BYTES = 8 * 1024 * 1024
_SLOW_AFTER_S = 0.1


class SpoolWriter:
    """The end of the spool that grows. One per folder; one `append` at a time."""

    def __init__(
        self,
        folder: SpoolFolder,
        *,
        limit_bytes: int,
        segment_bytes: int = SEGMENT_BYTES,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """Begin a new segment behind those that are there. `limit_bytes` bounds what is not drained yet."""
        self._folder = folder
        self._limit = limit_bytes
        self._segment_bytes = segment_bytes
        self._monotonic = monotonic
        segments = folder.segments()
        self._dropped = folder.mend(segments[-1]) if segments else 0
        self._waiting = folder.bytes_from(folder.load_position())
        self._segment = max([*segments, folder.load_position().segment]) + 1
        self._file = self._open(self._segment)
        self._size = 0
        self._dirty = False
        self._full: list[int] = []
        self._syncing_since: float | None = None
        self._on_growth: Callable[[], None] = lambda: None
        self.refused = 0

    @property
    def repaired_bytes(self) -> int:
        """How much of an unfinished line an earlier process had left."""
        return self._dropped

    @property
    def waiting_bytes(self) -> int:
        """How much is not drained yet."""
        return self._waiting

    @property
    def fullness(self) -> float:
        """What waits as a share of what may wait."""
        return self._waiting / self._limit

    @property
    def end(self) -> Position:
        """Where the next line will stand."""
        return Position(self._segment, self._size)

    @property
    def slow(self) -> bool:
        """Whether the disk is behind so far that an append might have to wait for it."""
        return self._syncing_since is not None and self._monotonic() - self._syncing_since > _SLOW_AFTER_S

    def on_growth(self, hear: Callable[[], None]) -> None:
        """Call `hear` after each append, in the thread of the append."""
        self._on_growth = hear

    def drained(self, size: int) -> None:
        """Hear that `size` bytes need no room any more."""
        self._waiting = max(self._waiting - size, 0)

    def append(self, line: bytes) -> None:
        """Write a line; raises JournalRefused when the spool or the disk is full, leaving no half line behind."""
        if self._waiting + len(line) > self._limit:
            self.refused += 1
            raise JournalRefused("the spool is full")
        try:
            if self._size >= self._segment_bytes:
                self._next_segment()
            self._write(line)
        except OSError as error:
            self.refused += 1
            raise JournalRefused(f"the disk refuses: {error.strerror}") from error
        self._size += len(line)
        self._waiting += len(line)
        self._dirty = True
        self._on_growth()

    async def keep_syncing(self) -> None:
        """Bring what was written onto the platter every 50 ms, beside everything else; runs until cancelled."""
        while True:
            await asyncio.sleep(SYNC_EVERY.total_seconds())
            if self._dirty:
                self._dirty = False
                self._syncing_since = self._monotonic()
                try:
                    await asyncio.to_thread(self.sync)
                finally:
                    self._syncing_since = None

    def sync(self) -> None:
        """Bring what was written onto the platter, segments that are full for the last time."""
        while self._full:
            os.fdatasync(self._full[0])
            os.close(self._full.pop(0))
        os.fdatasync(self._file)

    def close(self) -> None:
        """Sync and close the segment."""
        self.sync()
        os.close(self._file)

    def _write(self, line: bytes) -> None:
        written = os.write(self._file, line)
        if written < len(line):
            os.ftruncate(self._file, self._size)
            raise OSError(28, "no room for the whole line")

    def _next_segment(self) -> None:
        file = self._open(self._segment + 1)
        self._full.append(self._file)
        self._file, self._segment, self._size = file, self._segment + 1, 0

    def _open(self, segment: int) -> int:
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND | os.O_CLOEXEC
        return os.open(self._folder.path_of(segment), flags, 0o600)
