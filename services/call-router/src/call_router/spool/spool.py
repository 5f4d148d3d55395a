"""A spool as a whole: open it, write to it through its journal, drain it, watch it, close it."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from datetime import timedelta
from pathlib import Path

from call_router.records.events import CallEvents, EventRecord
from call_router.spool.drain import Send, SpoolDrain
from call_router.spool.journal import SpoolJournal
from call_router.spool.reader import SpoolReader
from call_router.spool.segments import SpoolFolder
from call_router.spool.writer import SpoolWriter
from fareline_chassis.health import HealthComponent

ALARMING = 0.5
_LOOK_EVERY = timedelta(seconds=1)


class Spool:
    """One folder's spool. Raises SpoolTaken where another process has it, OSError where the disk refuses."""

    def __init__(self, path: Path, *, events: CallEvents, limit_bytes: int, send: Send) -> None:
        self._folder = SpoolFolder(path)
        self.writer = SpoolWriter(self._folder, limit_bytes=limit_bytes)
        self.journal = SpoolJournal(self.writer, events)
        self._reader = SpoolReader(self._folder)
        self.drain = SpoolDrain(self.writer, self._reader, send)

    def waiting(self) -> Iterator[EventRecord]:
        """Yield the events that an earlier process left, in order. Before draining begins."""
        return SpoolReader(self._folder).peek(self.writer.end)

    def jobs(self) -> dict[str, Callable[[], Awaitable[None]]]:
        """Return what is to run in the background, by name."""
        return {"spool sync": self.writer.keep_syncing, "spool drain": self.drain.run}

    async def watch(self, component: HealthComponent) -> None:
        """Say in health, until cancelled, how much waits for Kafka; an alarm from half of the limit on."""
        while True:
            share = self.writer.fullness
            told = f"{share:.0%} of the spool waits for Kafka"
            if share >= ALARMING:
                component.failed(f"{told}: reports are refused once it is full")
            else:
                component.ok(told)
            await asyncio.sleep(_LOOK_EVERY.total_seconds())

    def readings(self) -> dict[str, tuple[str, Callable[[], float]]]:
        """Return what is worth a gauge: name, text and function."""
        return {
            "spool_waiting_bytes": ("Call events that wait for Kafka.", lambda: self.writer.waiting_bytes),
            "spool_fullness_ratio": ("What waits for Kafka as a share of what may.", lambda: self.writer.fullness),
            "spool_refused_events": ("Call events that could not be written down.", lambda: self.writer.refused),
            "spool_broken_lines": ("Lines lost to the disk.", lambda: self.drain.broken_lines),
            "spool_unsaved_positions": (
                "How often the disk did not take how far was drained.",
                lambda: self._reader.unsaved,
            ),
        }

    def close(self) -> None:
        """Bring everything onto the disk and give the folder back."""
        self.journal.close()
        self.writer.close()
        self._folder.close()
