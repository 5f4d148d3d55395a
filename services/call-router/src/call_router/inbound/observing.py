"""What the webhooks tell about themselves: metrics bound once to their labels, log lines where something is wrong."""

import time
from collections.abc import Callable, Mapping
from datetime import timedelta
from logging import DEBUG

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from call_router.domain.decisions import Source
from call_router.domain.reports import Report
from call_router.ports import Answered
from fareline_chassis.logs import get_logger
from fareline_chassis.privacy import mask_phone

_BUCKETS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0)
_SAY_AGAIN_AFTER_S = 10.0
_FRESHNESS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 60.0)


class Observer:
    """Counts and logs. `kinds` gives each account's kind of PBX."""

    def __init__(
        self, registry: CollectorRegistry, kinds: dict[str, str], monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._kinds = kinds
        self._monotonic = monotonic
        self._say_again_at: dict[str, float] = {}
        self._log = get_logger("call_router.pbx").bind()  # bound here, for it would be looked up for each line

        def counter(name: str, text: str, *labels: str) -> Counter:
            return Counter(f"fareline_router_{name}", text, labels, registry=registry)

        self._answers = counter("answers", "Questions answered.", "adapter", "reason", "source")
        self._repeated = counter("repeats", "Questions asked again.", "adapter")
        self._reports = counter("reports", "Reports taken down.", "adapter", "kind")
        self._refused = counter("signatures_refused", "Webhooks without a right signature.", "adapter", "why")
        self._unreadable = counter("unreadable", "Signed webhooks that could not be read.", "adapter")
        self._ignored = counter("ignored", "Webhooks of no interest.", "adapter")
        self._trouble = counter("trouble", "What went wrong beside an answer.", "what")
        self._lookups = counter("lookups", "Questions to order-binder, by result.", "result")
        self._shed = counter("shed", "What there was no time for.", "what")
        self._compared = counter("compared", "Answers compared with order-binder, by result.", "result")
        self._latency = Histogram(
            "fareline_router_answer_seconds", "Question to answer.", ("adapter",), buckets=_BUCKETS, registry=registry
        )
        self._freshness = Histogram(
            "fareline_binding_freshness_seconds", "Order event to routable.", buckets=_FRESHNESS, registry=registry
        )
        self._clock_offset = Gauge(
            "fareline_router_clock_offset_seconds", "How far a PBX's clock is behind.", ("account",), registry=registry
        )
        self._bound: dict[tuple[str, str, str], Counter] = {}
        self._bound_offsets: dict[str, Gauge] = {}
        self._bound_latency: dict[str, Histogram] = {}

    def answered(self, account: str, answered: Answered) -> None:
        """Note an answer. A repeated one is counted apart and not logged again."""
        kind, decision = self._kinds[account], answered.decision
        if answered.repeated:
            self._repeated.labels(kind).inc()
            return
        self._counter(kind, decision.reason, decision.source).inc()
        self._latency_of(kind).observe(answered.took.total_seconds())
        if self._log.is_enabled_for(DEBUG):
            self._log_answer(account, answered)

    def _log_answer(self, account: str, answered: Answered) -> None:
        """Log an answer, for a developer: the call log tells everybody else, and a line costs as much as a decision."""
        decision = answered.decision
        self._log.debug(
            "answered",
            account=account,
            call_id=answered.call_id,
            step=answered.question.so_far.step,
            reason=decision.reason,
            source=decision.source,
            caller=None if decision.caller is None else mask_phone(decision.caller),
            order_id=None if decision.link is None else decision.link.binding.order_id,
            took_ms=round(answered.took.total_seconds() * 1000, 2),
        )

    def reported(self, account: str, report: Report) -> None:
        """Note a report."""
        self._reports.labels(self._kinds[account], type(report).__name__.lower()).inc()

    def refused(self, account: str, why: str) -> None:
        """Note a webhook without a right signature."""
        self._refused.labels(self._kinds[account], why).inc()
        self._log.warning("signature refused", account=account, why=why)

    def unreadable(self, account: str, why: str) -> None:
        """Note a signed webhook that could not be read."""
        self._unreadable.labels(self._kinds[account]).inc()
        self._log.warning("webhook unreadable", account=account, why=why)

    def ignored(self, account: str, event: str) -> None:
        """Note a webhook of a kind that is nothing to us."""
        self._ignored.labels(self._kinds[account]).inc()
        self._log.debug("webhook ignored", account=account, webhook=event)

    def trouble(self, what: str, error: Exception) -> None:
        """Note what went wrong while the PBX got its answer all the same, or was put off; logged once in 10 s."""
        self._trouble.labels(what).inc()
        now = self._monotonic()
        if now >= self._say_again_at.get(what, 0.0):
            self._say_again_at[what] = now + _SAY_AGAIN_AFTER_S
            self._log.error("trouble", what=what, exc_info=error)

    def clock_measured(self, account: str, offset: timedelta) -> None:
        """Note how far our clock is ahead of an account's; beyond 5 s its times decide nothing."""
        gauge = self._bound_offsets.get(account)
        if gauge is None:
            gauge = self._bound_offsets[account] = self._clock_offset.labels(account)
        gauge.set(offset.total_seconds())

    def shed(self, what: str) -> None:
        """Note what there was no time for."""
        self._shed.labels(what).inc()

    def compared(self, result: str) -> None:
        """Note how an answer compared with order-binder."""
        self._compared.labels(result).inc()

    def event_refused(self, why: str) -> None:
        """Note a call event that Kafka will never take."""
        self._trouble.labels("event refused").inc()
        self._log.error("call event refused by kafka", why=why)

    def routable(self, age: timedelta) -> None:
        """Note that an order event of this age has just become routable."""
        self._freshness.observe(age.total_seconds())

    def looked_up(self, result: str) -> None:
        """Note a question to order-binder."""
        self._lookups.labels(result).inc()

    def _latency_of(self, kind: str) -> Histogram:
        bound = self._bound_latency.get(kind)
        if bound is None:
            bound = self._bound_latency[kind] = self._latency.labels(kind)
        return bound

    def _counter(self, kind: str, reason: str, source: Source) -> Counter:
        key = (kind, reason, source)
        bound = self._bound.get(key)
        if bound is None:
            bound = self._bound[key] = self._answers.labels(*key)
        return bound


def add_gauges(registry: CollectorRegistry, gauges: Mapping[str, tuple[str, Callable[[], float]]]) -> None:
    """Register gauges, by name with text and function, which are read when they are asked for."""
    for name, (text, read) in gauges.items():
        Gauge(f"fareline_router_{name}", text, registry=registry).set_function(read)
