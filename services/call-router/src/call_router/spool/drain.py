"""Emptying the spool into Kafka: in order, at least once, and patiently while Kafka is away."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from datetime import timedelta

from call_router.records.events import EventRecord
from call_router.spool.reader import SpoolReader
from call_router.spool.writer import SpoolWriter

Send = Callable[[Sequence[EventRecord]], Awaitable[None]]


class SpoolDrain:
    """Moves what the writer appended. `send` returns when Kafka has all of it, and raises when that is not certain."""

    def __init__(self, writer: SpoolWriter, reader: SpoolReader, send: Send) -> None:
        self._writer = writer
        self._reader = reader
        self._send = send
        self._grown = asyncio.Event()
        writer.on_growth(self._grown.set)
        self.broken_lines = 0

    async def run(self) -> None:
        """Drain until cancelled. An error of `send` ends it; started again it goes on where it was."""
        while True:
            self._grown.clear()
            while await self.drain_once():
                pass
            await self._grown.wait()

    async def drain_within(self, time: timedelta) -> None:
        """Send what waits for at most `time`; what is left stays on disk."""
        with suppress(TimeoutError):
            async with asyncio.timeout(time.total_seconds()):
                while await self.drain_once():
                    pass

    async def drain_once(self) -> bool:
        """Send the next batch, if there is one; returns whether there was."""
        batch = self._reader.next_batch(self._writer.end)
        if batch is None:
            return False
        if batch.records:
            await self._send(batch.records)
        self.broken_lines += batch.broken
        self._reader.move_behind(batch)
        self._writer.drained(batch.size)
        return True
