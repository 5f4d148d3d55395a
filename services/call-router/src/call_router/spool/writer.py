"""Appending to the spool: on disk for the kernel when `append` returns, on the platter some 50 ms later."""

import asyncio
import os
from collections.abc import Callable
from datetime import timedelta

from call_router.ports import JournalRefused
from call_router.spool.segments import Position, SpoolFolder

SYNC_EVERY = timedelta(milliseconds=50)
SEGMENT_BYTES = 8 * 1024 * 1024


class SpoolWriter:
    """The end of the spool that grows. One per folder."""

    def __init__(self, folder: SpoolFolder, *, limit_bytes: int, segment_bytes: int = SEGMENT_BYTES) -> None:
        """Begin a new segment behind those that are there. `limit_bytes` bounds what is not drained yet."""
        self._folder = folder
        self._limit = limit_bytes
        self._segment_bytes = segment_bytes
        segments = folder.segments()
        self._dropped = folder.mend(segments[-1]) if segments else 0
        self._waiting = folder.bytes_from(folder.load_position())
        self._segment = max([*segments, folder.load_position().segment]) + 1
        self._file = self._open()
        self._size = 0
        self._dirty = False
        self._on_growth: Callable[[], None] = lambda: None

    @property
    def repaired_bytes(self) -> int:
        """How much of an unfinished line an earlier process had left."""
        return self._dropped

    @property
    def waiting_bytes(self) -> int:
        """How much is not drained yet."""
        return self._waiting

    @property
    def end(self) -> Position:
        """Where the next line will stand."""
        return Position(self._segment, self._size)

    def on_growth(self, hear: Callable[[], None]) -> None:
        """Call `hear` after each append."""
        self._on_growth = hear

    def drained(self, size: int) -> None:
        """Hear that `size` bytes need no room any more."""
        self._waiting = max(self._waiting - size, 0)

    def append(self, line: bytes) -> None:
        """Write a line; raises JournalRefused when the spool or the disk is full, leaving no half line behind."""
        if self._waiting + len(line) > self._limit:
            raise JournalRefused("the spool is full")
        try:
            if self._size >= self._segment_bytes:
                self._next_segment()
            self._write(line)
        except OSError as error:
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
                await asyncio.to_thread(self._sync, self._file)

    def close(self) -> None:
        """Sync and close the segment."""
        self._sync(self._file)
        os.close(self._file)

    def _write(self, line: bytes) -> None:
        written = os.write(self._file, line)
        if written < len(line):
            os.ftruncate(self._file, self._size)
            raise OSError(28, "no room for the whole line")

    def _next_segment(self) -> None:
        full = self._file
        self._segment += 1
        self._file = self._open()
        self._size = 0
        self._sync(full)
        os.close(full)

    def _open(self) -> int:
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND | os.O_CLOEXEC
        return os.open(self._folder.path_of(self._segment), flags, 0o600)

    @staticmethod
    def _sync(file: int) -> None:
        os.fdatasync(file)
