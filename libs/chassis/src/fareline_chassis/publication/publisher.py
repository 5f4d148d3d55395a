"""Publishing one partition: newest state of what differs, marked once acknowledged, and a heartbeat once a second."""

import asyncio
import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Protocol

from fareline_chassis.backoff import Backoff
from fareline_chassis.clock import Monotonic
from fareline_chassis.kafka.producer import DeliveryRefused
from fareline_chassis.kafka.records import OutRecord, RecordMetadata
from fareline_chassis.logs import get_logger
from fareline_chassis.publication.keeper import Lease
from fareline_chassis.publication.rules import LastRecords, RepublishPace
from fareline_chassis.publication.source import Heartbeat, Publishable, RevisionSource

POLL = timedelta(seconds=1)
log = get_logger(__name__)


class Sender(Protocol):
    """The producer, as publication uses it."""

    async def send(self, records: Sequence[OutRecord]) -> list[RecordMetadata]:
        """Send all and return after their acknowledgement; raises when any of it is unknown."""


@dataclass(frozen=True, slots=True)
class Figures:
    """How publication goes about its work."""

    page: int = 500
    heartbeat_every: timedelta = timedelta(seconds=1)
    republish_every: timedelta = timedelta(hours=1)
    republish_per_second: int = 200


class PartitionPublisher:
    """Publishes one partition while `lease` says that it may."""

    def __init__(
        self,
        partition: int,
        *,
        topic: str,
        source: RevisionSource,
        sender: Sender,
        lease: Callable[[], Lease | None],
        last_records: LastRecords,
        heartbeat: Heartbeat | None = None,
        figures: Figures | None = None,
        monotonic: Monotonic = time.monotonic,
    ) -> None:
        """`last_records` is what the read-back knows of this partition."""
        self._partition = partition
        self._topic = topic
        self._source = source
        self._sender = sender
        self._lease = lease
        self._last_records = last_records
        self._heartbeat = heartbeat
        self._figures = figures or Figures()
        self._monotonic = monotonic
        self._epoch: int | None = None
        self._pace = self._new_pace()
        self._next_heartbeat = 0.0
        self._last_beat: OutRecord | None = None
        self._woken = asyncio.Event()

    def wake(self) -> None:
        """Look for work now instead of at the next poll."""
        self._woken.set()

    async def run(self) -> None:
        """Publish for ever; an error is logged, and tried again after a growing pause."""
        backoff = Backoff(timedelta(milliseconds=100), timedelta(seconds=2))
        while True:
            try:
                more = await self.step()
            except Exception as error:  # noqa: BLE001 - the rows stay unpublished; all there is to do is to go on
                log.warning("publication.failed", partition=self._partition, error=type(error).__name__)
                await asyncio.sleep(backoff.next())
            else:
                backoff.reset()
                if not more:
                    await self._rest()

    async def step(self) -> bool:
        """Do one round of work if the lease is held; return whether there is more to do at once.

        An error in sending (the producer has then replaced itself) leaves the rows unpublished: the next round reads
        them anew and so sends their newest state.
        """
        lease = self._lease()
        if lease is None:
            return False
        self._begin(lease)
        await self._repair()
        # Made before the rows are read: whatever it says is done stands among them, or before.
        beat = await self._made_beat(lease)
        rows = await self._source.unpublished(self._partition, self._figures.page)
        if rows:
            await self._publish(rows)
        if len(rows) >= self._figures.page:
            await self._beat(self._last_beat)
            return True
        await self._beat(beat)
        await self._republish()
        return False

    def _begin(self, lease: Lease) -> None:
        if lease.epoch != self._epoch:
            self._epoch = lease.epoch
            self._pace = self._new_pace()
            self._last_beat = None

    def _new_pace(self) -> RepublishPace:
        # Spread over the second half of the interval, lest all partitions do it in the same minute.
        first = self._figures.republish_every.total_seconds() * random.uniform(0.5, 1.0)  # noqa: S311
        return RepublishPace(
            every=self._figures.republish_every,
            per_second=self._figures.republish_per_second,
            next_round_at=self._monotonic() + first,
        )

    async def _repair(self) -> None:
        stale = self._last_records.take_stale(self._figures.page)
        if not stale:
            return
        try:
            untouched = await self._source.mark_dirty(stale)
        except BaseException:
            self._last_records.give_back(stale)
            raise
        self._last_records.give_back(untouched)

    async def _publish(self, rows: Sequence[Publishable]) -> None:
        try:
            await self._send(rows)
        except DeliveryRefused as error:
            refused = {index for index, _ in error.refused}
            await self._source.mark([(row.key, row.revision) for i, row in enumerate(rows) if i not in refused])
            raise
        await self._source.mark([(row.key, row.revision) for row in rows])

    async def _send(self, rows: Sequence[Publishable]) -> None:
        await self._sender.send(
            [OutRecord(self._topic, row.key, row.value, row.headers, partition=self._partition) for row in rows]
        )

    async def _made_beat(self, lease: Lease) -> OutRecord | None:
        """Return a heartbeat that will be true once everything unpublished by now is acknowledged; None if none is due.

        While there is more than a page of that, the last one is sent again: still there, nothing newer to promise.
        """
        if self._heartbeat is None or self._monotonic() < self._next_heartbeat:
            return None
        return await self._heartbeat(self._partition, lease.epoch, await self._source.now())

    async def _beat(self, record: OutRecord | None) -> None:
        now = self._monotonic()
        if record is None or now < self._next_heartbeat or self._lease() is None:
            return
        await self._sender.send([record])
        self._last_beat = record
        self._next_heartbeat = now + self._figures.heartbeat_every.total_seconds()

    async def _republish(self) -> None:
        size = self._pace.page_size(self._monotonic(), self._figures.page)
        if not size or self._lease() is None:
            return
        rows = await self._source.live(self._partition, self._pace.after, size)
        if rows:
            await self._send(rows)
        self._pace.sent(self._monotonic(), asked=size, keys=[row.key for row in rows])

    async def _rest(self) -> None:
        until_beat = self._next_heartbeat - self._monotonic() if self._heartbeat else POLL.total_seconds()
        try:
            async with asyncio.timeout(min(max(until_beat, 0.0) or POLL.total_seconds(), POLL.total_seconds())):
                await self._woken.wait()
        except TimeoutError:
            return
        self._woken.clear()
