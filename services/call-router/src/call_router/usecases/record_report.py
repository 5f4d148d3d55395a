"""Take down what a PBX reports of a call, and learn from it who was reached."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from call_router.domain.identity import call_id_of
from call_router.domain.reports import Ended, Report
from call_router.domain.values import replace
from call_router.ports import Journal, Memory
from call_router.usecases.learn import ANSWERED, learn


@dataclass(frozen=True, slots=True)
class RecordReport:
    """Write a report down first, then remember what later calls are decided by."""

    memory: Memory
    journal: Journal
    clock: Callable[[], datetime]

    async def __call__(self, report: Report, *, account: str) -> None:
        """Keep `report`; raises JournalRefused when it cannot be written down, so that the PBX sends it again."""
        call = self.memory.calls.of(call_id_of(account, report.pbx_call_id))
        if isinstance(report, Ended) and call.bridged and report.disposition != ANSWERED:
            report = replace(report, disposition=ANSWERED)
        await self.journal.reported(report, call, account=account, received_at=self.clock())
        learn(report, call, self.memory)
