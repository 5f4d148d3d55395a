"""Order events from Kafka: decode, ingest, put aside what cannot be used. Offsets are committed after this returns."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from fareline_chassis.clock import Clock
from fareline_chassis.kafka.records import InRecord, OutRecord
from fareline_chassis.logs import get_logger
from fareline_chassis.postgres.errors import classify, sqlstate_of
from fareline_chassis.tracing import Tracing
from order_binder.domain.events import OrderEvent
from order_binder.domain.lanes import lanes
from order_binder.inbound.alarms import TenantAlarms
from order_binder.inbound.event_spans import event_spans
from order_binder.inbound.metrics import BinderMetrics
from order_binder.inbound.order_records import OtherType, Undecodable, decode, kafka_time
from order_binder.inbound.refusals import Aside, FailureWatch, MostlyFailing
from order_binder.ports.bindings import LostRace
from order_binder.ports.progress import InputProgress
from order_binder.usecases.ingest_orders import IngestOrders

log = get_logger(__name__)


LANES = 4
"""Transactions of one batch: while the database works on one, the next is decided."""
SHARED_FROM = 100
"""Events of a batch that is worth sharing: each transaction costs what a dozen events cost."""


class Pair(NamedTuple):
    """A record and the order event it holds."""

    record: InRecord
    event: OrderEvent


@dataclass(slots=True)
class OrderConsumer:
    """Handles batches of the order topic. `put_aside` sends dead letters and returns when they are safe."""

    ingest: IngestOrders
    put_aside: Callable[[Sequence[OutRecord]], Awaitable[object]]
    metrics: BinderMetrics
    alarms: TenantAlarms
    clock: Clock
    watch: FailureWatch
    tracing: Tracing

    async def __call__(self, records: Sequence[InRecord]) -> None:
        """Process one batch; raising gives all of it back to be delivered again.

        Where most records fail for reasons that nobody foresaw, nothing is put aside any more and MostlyFailing raised,
        batch after batch: consuming pauses but for an attempt now and then, until things go well again.
        """
        try:
            await self._process(records)
        except MostlyFailing:
            self.alarms.paused(now=True)
            raise
        self.alarms.paused(now=self.watch.alarmed)

    async def _process(self, records: Sequence[InRecord]) -> None:
        aside = Aside()
        pairs = self._decoded(records, aside)
        with event_spans(self.tracing, [pair.event for pair in pairs]) as events:
            traced = [Pair(pair.record, event) for pair, event in zip(pairs, events, strict=True)]
            await self._ingest_all(traced, _progress(records, self.clock()), aside)
            if aside.records:
                await self.put_aside(aside.records)
                self.alarms.refused(aside)
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
                self._put_aside_one(record, error, aside)
                continue
            if isinstance(found, OrderEvent):
                pairs.append(Pair(record, found))
            elif isinstance(found, Undecodable):
                aside.refuse(record, found.reason, found.detail, tenant=found.tenant)
            elif isinstance(found, OtherType):
                self.metrics.skipped.inc()
        return pairs

    async def _ingest_all(self, pairs: Sequence[Pair], progress: Sequence[InputProgress], aside: Aside) -> None:
        """Ingest a batch: a small one in one transaction, a large one in several that work beside each other.

        The input's progress is then noted after all of them. Raises the first error, when none of them runs any more.
        """
        shared = lanes([pair.event for pair in pairs], LANES) if len(pairs) >= SHARED_FROM else []
        if len(shared) < 2:  # noqa: PLR2004 - one lane is no sharing
            await self._ingest(pairs, progress, aside)
            return
        work = (self._ingest([pairs[place] for place in lane], (), aside) for lane in shared)
        for outcome in await asyncio.gather(*work, return_exceptions=True):
            if isinstance(outcome, BaseException):
                raise outcome
        await self._ingest((), progress, aside)

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
            self._put_aside_one(pairs[0].record, error, aside, tenant=pairs[0].event.key.tenant, attempts=attempts)
            await self._ingest((), progress, aside)
            return
        self.watch.went_well(len(pairs))
        self.alarms.took(report)
        for place, reason in report.refused.items():
            aside.refuse(pairs[place].record, reason, f"tenant {pairs[place].event.key.tenant}")

    def _put_aside_one(
        self, record: InRecord, error: Exception, aside: Aside, *, tenant: str | None = None, attempts: int = 1
    ) -> None:
        expected = classify(error) == "record"
        if expected:
            self.watch.went_well(1)
        else:
            aside.unexpected = aside.unexpected or error
            self.watch.failed()
        reason = "database_refused" if expected else "unexpected"
        sqlstate = sqlstate_of(error)
        aside.refuse(record, reason, type(error).__name__, tenant=tenant, sqlstate=sqlstate, attempts=attempts)


def _progress(records: Sequence[InRecord], now: datetime) -> list[InputProgress]:
    """Return how far each partition is once the batch is written; a sender's clock ahead of ours counts as now."""
    times: dict[int, int] = {}
    offsets: dict[int, int] = {}
    for record in records:
        times[record.partition] = max(times.get(record.partition, record.timestamp_ms), record.timestamp_ms)
        offsets[record.partition] = record.offset + 1
    return [
        InputProgress(partition, kafka_time(times[partition], now), following)
        for partition, following in offsets.items()
    ]
