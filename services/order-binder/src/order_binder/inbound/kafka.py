"""Order events from Kafka: decode, ingest, put aside what cannot be used. Offsets are committed after this returns."""

from collections import Counter, deque
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

from fareline_chassis.clock import Clock
from fareline_chassis.kafka.dlq import dead_letter
from fareline_chassis.kafka.records import InRecord, OutRecord
from fareline_chassis.logs import get_logger
from fareline_chassis.postgres.errors import classify, sqlstate_of
from fareline_chassis.privacy import redact_phones
from fareline_chassis.tracing import Tracing
from order_binder.domain.events import OrderEvent
from order_binder.inbound.event_spans import event_spans
from order_binder.inbound.metrics import BinderMetrics
from order_binder.inbound.order_records import OtherType, Undecodable, decode, kafka_time
from order_binder.ports import InputProgress, LostRace
from order_binder.usecases.ingest_orders import IngestOrders

GROUP = "order-binder"
_WINDOW = 200
log = get_logger(__name__)


class Pair(NamedTuple):
    """A record and the order event it holds."""

    record: InRecord
    event: OrderEvent


class MostlyFailing(Exception):
    """Most of the last records failed for a reason nobody foresaw: the fault is ours, so nothing is put aside."""


class FailureWatch:
    """Remembers how the last 200 records went."""

    def __init__(self) -> None:
        self._last: deque[bool] = deque(maxlen=_WINDOW)

    def went_well(self, count: int) -> None:
        """Note records that were processed or refused for a reason of their own."""
        self._last.extend([False] * min(count, _WINDOW))

    def failed(self) -> None:
        """Note a record that failed unexpectedly. Raises MostlyFailing once most of a full window did."""
        self._last.append(True)
        if len(self._last) == _WINDOW and sum(self._last) > _WINDOW // 2:
            raise MostlyFailing


@dataclass(slots=True)
class Aside:
    """What of a batch goes to the dead letters.

    `first` (partition/offset) and `detail` tell of the first one, `unexpected` is the first error that nobody foresaw.
    """

    records: list[OutRecord] = field(default_factory=list)
    reasons: Counter[str] = field(default_factory=Counter)
    first: str | None = None
    detail: str | None = None
    unexpected: Exception | None = None

    def refuse(
        self, record: InRecord, reason: str, detail: str, *, sqlstate: str | None = None, attempts: int = 1
    ) -> None:
        """Add a record; phones in `detail` are masked."""
        detail = redact_phones(detail)
        self.records.append(
            dead_letter(record, reason=reason, detail=detail, group=GROUP, sqlstate=sqlstate, attempts=attempts)
        )
        self.reasons[reason] += 1
        self.first = self.first or f"{record.partition}/{record.offset}"
        self.detail = self.detail or detail


@dataclass(slots=True)
class OrderConsumer:
    """Handles batches of the order topic. `put_aside` sends dead letters and returns when they are safe."""

    ingest: IngestOrders
    put_aside: Callable[[Sequence[OutRecord]], Awaitable[object]]
    metrics: BinderMetrics
    clock: Clock
    watch: FailureWatch
    tracing: Tracing

    async def __call__(self, records: Sequence[InRecord]) -> None:
        """Process one batch; raising gives all of it back to be delivered again."""
        aside = Aside()
        pairs = self._decoded(records, aside)
        with event_spans(self.tracing, [pair.event for pair in pairs]) as events:
            traced = [Pair(pair.record, event) for pair, event in zip(pairs, events, strict=True)]
            await self._ingest(traced, _progress(records, self.clock()), aside)
            if aside.records:
                await self.put_aside(aside.records)
                self._tell(aside)
        now = self.clock()
        for pair in pairs:
            self.metrics.ingest_delay.observe(max(0.0, (now - pair.event.caused_at).total_seconds()))
        log.debug("orders.ingested", records=len(records), dead_letters=len(aside.records))

    def _decoded(self, records: Sequence[InRecord], aside: Aside) -> list[Pair]:
        pairs, now = [], self.clock()
        for record in records:
            try:
                found = decode(record, now)
            except Exception as error:  # noqa: BLE001 - one record must never hold up the others
                self._put_aside_one(record, error, aside, attempts=1)
                continue
            if isinstance(found, OrderEvent):
                pairs.append(Pair(record, found))
            elif isinstance(found, Undecodable):
                aside.refuse(record, found.reason, found.detail)
            elif isinstance(found, OtherType):
                self.metrics.skipped.inc()
        return pairs

    async def _ingest(
        self, pairs: Sequence[Pair], progress: Sequence[InputProgress], aside: Aside, attempts: int = 1
    ) -> None:
        """Ingest in one transaction; a batch that cannot be written is halved until the guilty record stands alone."""
        try:
            report = await self.ingest([pair.event for pair in pairs], progress)
        except Exception as error:
            fault = "transient" if isinstance(error, LostRace) else classify(error)
            if fault == "transient" or not pairs:
                self.metrics.batch_retries.labels(fault).inc()
                raise
            if len(pairs) > 1:
                middle = len(pairs) // 2
                await self._ingest(pairs[:middle], (), aside, attempts + 1)
                await self._ingest(pairs[middle:], progress, aside, attempts + 1)
                return
            self._put_aside_one(pairs[0].record, error, aside, attempts=attempts)
            await self._ingest((), progress, aside)
            return
        self.watch.went_well(len(pairs))
        self.metrics.took(report)
        for place, reason in report.refused.items():
            aside.refuse(pairs[place].record, reason, f"tenant {pairs[place].event.key.tenant}")

    def _put_aside_one(self, record: InRecord, error: Exception, aside: Aside, *, attempts: int) -> None:
        expected = classify(error) == "record"
        if expected:
            self.watch.went_well(1)
        else:
            aside.unexpected = aside.unexpected or error
            self.watch.failed()
        reason = "database_refused" if expected else "unexpected"
        aside.refuse(record, reason, type(error).__name__, sqlstate=sqlstate_of(error), attempts=attempts)

    def _tell(self, aside: Aside) -> None:
        """Count what was put aside and say so once for the whole batch."""
        for reason, count in aside.reasons.items():
            self.metrics.refused.labels(reason).inc(count)
        log.warning(
            "orders.refused",
            reasons=dict(aside.reasons),
            first=aside.first,
            detail=aside.detail,
            exc_info=aside.unexpected,
        )


def _progress(records: Sequence[InRecord], now: datetime) -> list[InputProgress]:
    """Return how far each partition is once the batch is written; a sender's clock ahead of ours counts as now."""
    latest: dict[int, InputProgress] = {}
    for record in records:
        at = min(kafka_time(record.timestamp_ms, now), now)
        known = latest.get(record.partition)
        as_of = at if known is None else max(known.as_of, at)
        latest[record.partition] = InputProgress(record.partition, as_of, record.offset + 1)
    return list(latest.values())
