"""Learn from what is reported of a call: whether the two sides talked, and when it was over."""

from datetime import timedelta

from call_router.domain.reports import Ended, Progress, Report
from call_router.ports import CallMemory, Memory

TALKING = "bridged"
ANSWERED = "answered"


def learn(report: Report, call: CallMemory, memory: Memory) -> None:
    """Take a report to heart. The same one again changes nothing."""
    if isinstance(report, Progress) and report.state == TALKING:
        call.bridged = True
        memory.recent.answered(call.call_id)
    if isinstance(report, Ended):
        _learn_the_end(report, call, memory)


def _learn_the_end(report: Ended, call: CallMemory, memory: Memory) -> None:
    if report.disposition == ANSWERED:
        memory.recent.answered(call.call_id)
    else:
        memory.recent.unanswered(call.call_id, _rang(report, call, memory))
    memory.recent.ended(call.call_id, report.ended_at or report.at)


def _rang(report: Ended, call: CallMemory, memory: Memory) -> timedelta | None:
    attempt = memory.recent.attempt_of(call.call_id)
    # Without a word on ringing, the time since our answer is the longest that it can have rung.
    since = report.ringing_at or (None if attempt is None else attempt.at)
    return None if since is None else (report.ended_at or report.at) - since
