"""The journal of call events: each becomes a line in the spool before its question or report is answered."""

from datetime import datetime

from call_router.domain.reports import Report
from call_router.ports import Answered, CallMemory
from call_router.records.events import CallEvents
from call_router.spool.lines import to_line
from call_router.spool.writer import SpoolWriter


class SpoolJournal:
    """Writes events to the spool."""

    def __init__(self, writer: SpoolWriter, events: CallEvents) -> None:
        self._writer = writer
        self._events = events

    async def answered(self, answered: Answered, *, account: str, trace: str | None) -> None:
        """Write down a question and its answer; raises JournalRefused."""
        self._writer.append(to_line(self._events.routed(answered, account=account, trace=trace)))

    async def reported(self, report: Report, call: CallMemory, *, account: str, received_at: datetime) -> None:
        """Write down a report; raises JournalRefused."""
        event = self._events.reported(report, call, account=account, received_at=received_at)
        self._writer.append(to_line(event))
