"""Order events from Kafka: decode, ingest, put aside what cannot be used. Offsets are committed after this returns."""

from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import NamedTuple

from opentelemetry.trace import Link, Tracer, get_current_span

from fareline_chassis.clock import Clock
from fareline_chassis.kafka.dlq import dead_letter
from fareline_chassis.kafka.records import InRecord, OutRecord
from fareline_chassis.logs import get_logger
from fareline_chassis.postgres.errors import classify, sqlstate_of
from fareline_chassis.privacy import redact_phones
from fareline_chassis.telemetry import context_from_traceparent
from order_binder.domain.events import OrderEvent
from order_binder.inbound.metrics import BinderMetrics
from order_binder.inbound.order_records import OtherType, Undecodable, decode
from order_binder.ports import InputProgress, LostRace
from order_binder.usecases.ingest_orders import IngestOrders

GROUP = "order-binder"
_WINDOW = 200
_MOST_LINKS = 32
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
class OrderConsumer:
    """Handles batches of the order topic. `put_aside` sends dead letters and returns when they are safe."""

    ingest: IngestOrders
    put_aside: Callable[[Sequence[OutRecord]], Awaitable[object]]
    metrics: BinderMetrics
    clock: Clock
    watch: FailureWatch
    tracer: Tracer

    async def __call__(self, records: Sequence[InRecord]) -> None:
        """Process one batch; raising gives all of it back to be delivered again."""
        dead: list[OutRecord] = []
        pairs = self._decoded(records, dead)
        with self.tracer.start_as_current_span("orders.ingest", links=_links(pairs)):
            await self._ingest(pairs, _progress(records, self.clock()), dead)
            if dead:
                await self.put_aside(dead)
        now = self.clock()
        for pair in pairs:
            self.metrics.ingest_delay.observe(max(0.0, (now - pair.event.caused_at).total_seconds()))
        log.debug("orders.ingested", records=len(records), dead_letters=len(dead))

    def _decoded(self, records: Sequence[InRecord], dead: list[OutRecord]) -> list[Pair]:
        pairs = []
        for record in records:
            found = decode(record)
            if isinstance(found, OrderEvent):
                pairs.append(Pair(record, found))
            elif isinstance(found, Undecodable):
                dead.append(self._refuse(record, found.reason, found.detail))
            elif isinstance(found, OtherType):
                self.metrics.skipped.inc()
        return pairs

    async def _ingest(
        self, pairs: Sequence[Pair], progress: Sequence[InputProgress], dead: list[OutRecord], attempts: int = 1
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
                await self._ingest(pairs[:middle], (), dead, attempts + 1)
                await self._ingest(pairs[middle:], progress, dead, attempts + 1)
                return
            dead.append(self._failed(pairs[0].record, error, attempts, expected=fault == "record"))
            await self._ingest((), progress, dead)
            return
        self.watch.went_well(len(pairs))
        self.metrics.took(report)
        for place, reason in report.refused.items():
            dead.append(self._refuse(pairs[place].record, reason, f"tenant {pairs[place].event.key.tenant}"))

    def _failed(self, record: InRecord, error: Exception, attempts: int, *, expected: bool) -> OutRecord:
        if expected:
            self.watch.went_well(1)
        else:
            log.error("orders.unexpected", partition=record.partition, offset=record.offset, exc_info=error)
            self.watch.failed()
        reason = "database_refused" if expected else "unexpected"
        return self._refuse(record, reason, type(error).__name__, sqlstate=sqlstate_of(error), attempts=attempts)

    def _refuse(
        self, record: InRecord, reason: str, detail: str, *, sqlstate: str | None = None, attempts: int = 1
    ) -> OutRecord:
        self.metrics.refused.labels(reason).inc()
        detail = redact_phones(detail)
        log.warning("orders.refused", partition=record.partition, offset=record.offset, reason=reason, detail=detail)
        return dead_letter(record, reason=reason, detail=detail, group=GROUP, sqlstate=sqlstate, attempts=attempts)


def _links(pairs: Sequence[Pair]) -> list[Link]:
    """Link a batch to the first traces that its events belong to."""
    traces = [pair.event.traceparent for pair in pairs if pair.event.traceparent][:_MOST_LINKS]
    contexts = [get_current_span(context_from_traceparent(trace)).get_span_context() for trace in traces]
    return [Link(context) for context in contexts if context.is_valid]


def _progress(records: Sequence[InRecord], now: datetime) -> list[InputProgress]:
    """Return how far each partition is once the batch is written; a sender's clock ahead of ours counts as now."""
    latest: dict[int, InputProgress] = {}
    for record in records:
        at = min(datetime.fromtimestamp(record.timestamp_ms / 1000, UTC), now)
        known = latest.get(record.partition)
        as_of = at if known is None else max(known.as_of, at)
        latest[record.partition] = InputProgress(record.partition, as_of, record.offset + 1)
    return list(latest.values())
