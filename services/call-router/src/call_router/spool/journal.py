"""The journal of call events: each becomes a line in the spool before its question or report is answered.

As a rule the line is written at once, which takes microseconds. While the disk is behind, lines are written by a thread
of their own, and nobody waits longer than 200 ms for them: then the caller is answered without, and a report put off.
"""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta

from call_router.domain.reports import Report
from call_router.ports import Answered, CallMemory, JournalRefused
from call_router.records.events import CallEvents
from call_router.spool.lines import to_line
from call_router.spool.writer import SpoolWriter

WAITS = timedelta(milliseconds=200)
_MOST_BEHIND = 1000


class SpoolJournal:
    """Writes events to the spool."""

    def __init__(self, writer: SpoolWriter, events: CallEvents, *, waits: timedelta = WAITS) -> None:
        self._writer = writer
        self._events = events
        self._waits = waits.total_seconds()
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="spool")
        self._behind = 0

    async def answered(self, answered: Answered, *, account: str, trace: str | None) -> None:
        """Write down a question and its answer; raises JournalRefused."""
        await self._append(to_line(self._events.routed(answered, account=account, trace=trace)))

    async def reported(self, report: Report, call: CallMemory, *, account: str, received_at: datetime) -> None:
        """Write down a report; raises JournalRefused."""
        event = self._events.reported(report, call, account=account, received_at=received_at)
        await self._append(to_line(event))

    def close(self) -> None:
        """Write what is still behind."""
        self._thread.shutdown()

    async def _append(self, line: bytes) -> None:
        if not self._behind and not self._writer.slow:
            self._writer.append(line)
            return
        if self._behind >= _MOST_BEHIND:
            raise JournalRefused("the disk does not answer")
        self._behind += 1
        written = asyncio.get_running_loop().run_in_executor(self._thread, self._writer.append, line)
        written.add_done_callback(self._caught_up)
        done, _ = await asyncio.wait([written], timeout=self._waits)
        if not done:
            raise JournalRefused("the disk does not answer")
        await written

    def _caught_up(self, written: asyncio.Future[None]) -> None:
        self._behind -= 1
        if not written.cancelled():
            written.exception()  # whoever waited has been told; nobody else is left to
