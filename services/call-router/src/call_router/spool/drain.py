"""Emptying the spool into Kafka: in order, at least once, and patiently while Kafka is away.

It takes its time: a batch of some hundred events every 25 ms. That is many times what calls make, and what an outage
has left behind delays no answer.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from datetime import timedelta

from call_router.records.events import EventRecord
from call_router.spool.reader import SpoolReader
from call_router.spool.writer import SpoolWriter

Send = Callable[[Sequence[EventRecord]], Awaitable[None]]
GATHERS = timedelta(milliseconds=25)


class SpoolDrain:
    """Moves what the writer appended. `send` returns when Kafka has all of it, and raises when that is not certain."""

    def __init__(self, writer: SpoolWriter, reader: SpoolReader, send: Send) -> None:
        self._writer = writer
        self._reader = reader
        self._send = send
        self._grown = asyncio.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        writer.on_growth(self._wake)
        self.broken_lines = 0

    async def run(self) -> None:
        """Drain until cancelled. An error of `send` ends it; started again it goes on where it was."""
        self._loop = asyncio.get_running_loop()
        while True:
            self._grown.clear()
            if not await self.drain_once():
                await self._grown.wait()
            await asyncio.sleep(GATHERS.total_seconds())

    async def drain_within(self, time: timedelta) -> None:
        """Send what waits for at most `time`; what is left stays on disk."""
        with suppress(TimeoutError):
            async with asyncio.timeout(time.total_seconds()):
                while await self.drain_once():
                    pass

    async def drain_once(self) -> bool:
        """Send the next batch, if there is one; returns whether there was."""
        batch = await asyncio.to_thread(self._reader.next_batch, self._writer.end)
        if batch is None:
            return False
        if batch.records:
            await self._send(batch.records)
        self.broken_lines += batch.broken
        await asyncio.to_thread(self._reader.move_behind, batch)
        self._writer.drained(batch.size)
        return True

    def _wake(self) -> None:
        if self._loop is not None and not self._grown.is_set():
            self._loop.call_soon_threadsafe(self._grown.set)
