"""A spool as a whole: open it, write to it through its journal, drain it, close it."""

from collections.abc import Awaitable, Callable
from pathlib import Path

from call_router.records.events import CallEvents
from call_router.spool.drain import Send, SpoolDrain
from call_router.spool.journal import SpoolJournal
from call_router.spool.reader import SpoolReader
from call_router.spool.segments import SpoolFolder
from call_router.spool.writer import SpoolWriter


class Spool:
    """One folder's spool. Raises SpoolTaken where another process has it, OSError where the disk refuses."""

    def __init__(self, path: Path, *, events: CallEvents, limit_bytes: int, send: Send) -> None:
        self._folder = SpoolFolder(path)
        self.writer = SpoolWriter(self._folder, limit_bytes=limit_bytes)
        self.journal = SpoolJournal(self.writer, events)
        self.drain = SpoolDrain(self.writer, SpoolReader(self._folder), send)

    def jobs(self) -> dict[str, Callable[[], Awaitable[None]]]:
        """Return what is to run in the background, by name."""
        return {"spool sync": self.writer.keep_syncing, "spool drain": self.drain.run}

    def readings(self) -> dict[str, tuple[str, Callable[[], float]]]:
        """Return what is worth a gauge: name, text and function."""
        return {
            "spool_waiting_bytes": ("Call events that wait for Kafka.", lambda: self.writer.waiting_bytes),
            "spool_broken_lines": ("Lines lost to the disk.", lambda: self.drain.broken_lines),
        }

    def close(self) -> None:
        """Bring everything onto the disk and give the folder back."""
        self.writer.close()
        self._folder.close()
