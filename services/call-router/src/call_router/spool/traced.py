"""A journal that opens a span for each answer, as continuation of the trace of the binding that it rests on."""

from datetime import datetime

from call_router.domain.reports import Report
from call_router.ports import Answered, CallMemory, Journal
from fareline_chassis.tracing import Tracing, traceparent_of

NAME = "call.route"


class TracedJournal:
    """Writes through `inner`; the event of an answer carries the answer's own span."""

    def __init__(self, inner: Journal, tracing: Tracing) -> None:
        self._inner = inner
        self._tracing = tracing

    async def answered(self, answered: Answered, *, account: str, trace: str | None) -> None:
        """Write down a question and its answer; raises JournalRefused."""
        if not self._tracing.on:
            await self._inner.answered(answered, account=account, trace=trace)
            return
        decision = answered.decision
        span = self._tracing.span(NAME, trace, begun=answered.decided_at - answered.took)
        try:
            if span.is_recording():
                told = {"call_id": answered.call_id, "account": account, "source": decision.source}
                span.set_attributes({f"fareline.{name}": value for name, value in told.items()})
                span.set_attribute("fareline.reason", decision.reason)
            await self._inner.answered(answered, account=account, trace=traceparent_of(span))
        finally:
            span.end()

    async def reported(self, report: Report, call: CallMemory, *, account: str, received_at: datetime) -> None:
        """Write down a report; raises JournalRefused."""
        await self._inner.reported(report, call, account=account, received_at=received_at)
