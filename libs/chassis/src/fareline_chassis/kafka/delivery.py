"""At-least-once delivery of batches: handled, then exact offsets committed; rewound on failure, never skipped."""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping, Sequence
from contextlib import suppress
from datetime import timedelta
from typing import Any, NamedTuple

from aiokafka import AIOKafkaConsumer, ConsumerRebalanceListener, ConsumerRecord, TopicPartition
from aiokafka.errors import IllegalStateError, KafkaError

from fareline_chassis.backoff import Backoff
from fareline_chassis.coalesce import Coalesced
from fareline_chassis.kafka.records import InRecord, in_record
from fareline_chassis.logs import get_logger

Handler = Callable[[Sequence[InRecord]], Awaitable[None]]

FIRST_RETRY = timedelta(milliseconds=200)
# The pause and the handler together must stay far under Kafka's max.poll.interval (5 min).
LAST_RETRY = timedelta(seconds=10)
_COMMIT_TIMEOUT = timedelta(seconds=10)
_FLUSH_ON_REVOKE = timedelta(seconds=10)
_PROGRESS_TIMEOUT = timedelta(seconds=5)
log = get_logger(__name__)


class PartitionProgress(NamedTuple):
    """How far one partition is handled: everything before offset `position` is; the next new record gets `end`."""

    position: int
    end: int

    @property
    def caught_up(self) -> bool:
        """Whether nothing that stood in the partition when asked is still to be handled."""
        return self.position >= self.end


def first_offsets(records: Iterable["ConsumerRecord[Any, Any]"]) -> dict[TopicPartition, int]:
    """Return the lowest offset of each partition in `records`: where to go back to."""
    first: dict[TopicPartition, int] = {}
    for record in records:
        partition = TopicPartition(record.topic, record.partition)
        first[partition] = min(record.offset, first.get(partition, record.offset))
    return first


def next_offsets(records: Iterable["ConsumerRecord[Any, Any]"]) -> dict[TopicPartition, int]:
    """Return the offset after the highest one of each partition in `records`: what to commit."""
    following: dict[TopicPartition, int] = {}
    for record in records:
        partition = TopicPartition(record.topic, record.partition)
        following[partition] = max(record.offset + 1, following.get(partition, 0))
    return following


class BatchDelivery(ConsumerRebalanceListener):
    """Hands each batch to the handler and settles it; one batch at a time.

    Offsets are committed beside the next batch, for a commit takes longer than a small batch does. A crash in between
    means a second delivery, as any crash does. `consumer` returns the running consumer, `logical_names` maps topics as
    deployed to the names handlers know.
    """

    def __init__(
        self,
        handler: Handler,
        *,
        consumer: Callable[[], AIOKafkaConsumer | None],
        logical_names: Mapping[str, str],
        backoff: Backoff | None = None,
    ) -> None:
        self._handler = handler
        self._consumer = consumer
        self._logical_names = logical_names
        self._backoff = backoff or Backoff(FIRST_RETRY, LAST_RETRY)
        self._in_flight: dict[TopicPartition, int] = {}
        self._idle = asyncio.Event()
        self._idle.set()
        self._hurry = asyncio.Event()
        self._stopping = False
        self._committing = Coalesced(self._commit)
        self._commits: set[asyncio.Task[None]] = set()

    def stop(self) -> None:
        """Begin no batch any more and end a pause at once; a batch under way goes on."""
        self._stopping = True
        self._hurry.set()

    def accept(self, records: Sequence["ConsumerRecord[Any, Any]"]) -> None:
        """Note a batch that has left the consumer, so that progress does not count it as handled."""
        self._in_flight = first_offsets(records)
        self._idle.clear()

    async def deliver(self, records: Sequence["ConsumerRecord[Any, Any]"]) -> None:
        """Handle one batch and begin to commit it; on an error wait and rewind. A cancelled batch does neither.

        After `stop` nothing is handled: the records come again wherever the partition goes.
        """
        try:
            if self._stopping:
                return
            await self._handler([in_record(record, self._logical_names) for record in records])
        except Exception as error:  # noqa: BLE001 - whatever it is, the records must come again
            await self._retry_later(records, error)
        else:
            self._backoff.reset()
            self._commit_soon(next_offsets(records))
        finally:
            self._in_flight = {}
            self._idle.set()

    async def settled(self) -> None:
        """Return once no batch is under way and what was handled is committed, or could not be."""
        await self._idle.wait()
        while self._commits:
            await asyncio.wait(self._commits)

    async def progress(self) -> dict[int, PartitionProgress]:
        """Return how far each assigned partition is handled, ends as the brokers say them now.

        Empty while nothing is assigned. Raises TimeoutError or KafkaError when the brokers do not answer.
        """
        consumer = self._consumer()
        partitions = consumer.assignment() if consumer else frozenset()
        if consumer is None or not partitions:
            return {}
        async with asyncio.timeout(_PROGRESS_TIMEOUT.total_seconds()):
            ends = await consumer.end_offsets(partitions)
            positions = {part: await consumer.position(part) for part in partitions & consumer.assignment()}
        return {
            part.partition: PartitionProgress(self._in_flight.get(part, position), ends[part])
            for part, position in positions.items()
        }

    async def on_partitions_revoked(self, revoked: Collection[TopicPartition]) -> None:
        """Let the running batch finish and be committed before its partitions go elsewhere: saves a second delivery.

        A batch that only waits for its next attempt is given up to whoever gets the partitions.
        """
        self._hurry.set()
        try:
            async with asyncio.timeout(_FLUSH_ON_REVOKE.total_seconds()):
                await self.settled()
        except TimeoutError:
            log.warning("kafka.revoked_while_busy", partitions=len(revoked))
        finally:
            if not self._stopping:
                self._hurry.clear()

    def on_partitions_assigned(self, assigned: Collection[TopicPartition]) -> None:
        """Say what this process now handles."""
        log.info("kafka.assigned", partitions=sorted(part.partition for part in assigned))

    def _commit_soon(self, offsets: Mapping[TopicPartition, int]) -> None:
        task = asyncio.create_task(self._committing(offsets))
        self._commits.add(task)
        task.add_done_callback(self._commits.discard)

    async def _commit(self, handled: Sequence[Mapping[TopicPartition, int]]) -> Sequence[None]:
        offsets = {part: offset for batch in handled for part, offset in batch.items()}
        if (consumer := self._consumer()) is not None:
            try:
                async with asyncio.timeout(_COMMIT_TIMEOUT.total_seconds()):
                    await consumer.commit(offsets)
            except (KafkaError, TimeoutError) as error:
                # The work is done; whoever owns the partition next gets the records again, which handlers bear.
                log.warning("kafka.commit_failed", error=type(error).__name__)
        return [None] * len(handled)

    async def _retry_later(self, records: Sequence["ConsumerRecord[Any, Any]"], error: Exception) -> None:
        delay = self._backoff.next()
        log.error("kafka.batch_failed", records=len(records), retry_in_s=round(delay, 2), exc_info=error)
        with suppress(TimeoutError):
            await asyncio.wait_for(self._hurry.wait(), delay)
        consumer = self._consumer()
        if consumer is None:
            return
        for partition, offset in first_offsets(records).items():
            try:
                consumer.seek(partition, offset)
            except IllegalStateError:
                log.info("kafka.rewind_skipped", partition=partition.partition, reason="no longer assigned")
