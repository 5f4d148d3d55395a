"""Take down what a PBX reports of a call, and learn from it who was reached."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from call_router.domain.identity import call_id_of
from call_router.domain.reports import Ended, Progress, Report
from call_router.domain.values import replace
from call_router.ports import CallMemory, Journal, Memory

_TALKING = "bridged"
_ANSWERED = "answered"


@dataclass(frozen=True, slots=True)
class RecordReport:
    """Write a report down first, then remember what later calls are decided by."""

    memory: Memory
    journal: Journal
    clock: Callable[[], datetime]

    async def __call__(self, report: Report, *, account: str) -> None:
        """Keep `report`; raises JournalRefused when it cannot be written down, so that the PBX sends it again."""
        call = self.memory.calls.of(call_id_of(account, report.pbx_call_id))
        if isinstance(report, Ended) and call.bridged and report.disposition != _ANSWERED:
            report = replace(report, disposition=_ANSWERED)
        await self.journal.reported(report, call, account=account, received_at=self.clock())
        if isinstance(report, Progress) and report.state == _TALKING:
            call.bridged = True
            self.memory.recent.answered(call.call_id)
        if isinstance(report, Ended):
            self._learn_the_end(report, call)

    def _learn_the_end(self, report: Ended, call: CallMemory) -> None:
        if report.disposition == _ANSWERED:
            self.memory.recent.answered(call.call_id)
        else:
            attempt = self.memory.recent.attempt_of(call.call_id)
            # Without a word on ringing, the time since our answer is the longest that it can have rung.
            since = report.ringing_at or (None if attempt is None else attempt.at)
            ended_at = report.ended_at or report.at
            self.memory.recent.unanswered(call.call_id, None if since is None else ended_at - since)
        self.memory.recent.ended(call.call_id, report.ended_at or report.at)
