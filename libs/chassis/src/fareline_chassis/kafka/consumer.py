"""Consumer groups on FastStream: batches of raw records, at least once.

FastStream runs the loop and its stop; the parser, the commits and the rewinding are ours (`delivery`), because its own
parser loses records with foreign headers and its own acknowledgement commits positions instead of what was handled.
"""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from aiokafka import ConsumerRecord
from faststream import AckPolicy
from faststream.kafka import KafkaBroker
from faststream.kafka.message import FAKE_CONSUMER, KafkaAckableMessage
from faststream.message import StreamMessage

from fareline_chassis.health import HealthComponent
from fareline_chassis.kafka.cluster import KafkaCluster
from fareline_chassis.kafka.delivery import BatchDelivery, Handler, PartitionProgress
from fareline_chassis.kafka.foreign_names import tolerate_foreign_header_names
from fareline_chassis.kafka.patient import connect_patiently
from fareline_chassis.kafka.topics import partitions_of
from fareline_chassis.lifecycle import wait_for

# `Broker.stop` has waited for the handlers before FastStream does.
_AFTER_SETTLING = timedelta(seconds=1)
# How soon partitions are consumed that somebody adds to a topic.
_METADATA_AGE_MS = 30_000
_AT_MOST_ONCE = frozenset({AckPolicy.ACK_FIRST, AckPolicy.ACK, AckPolicy.REJECT_ON_ERROR})
_Batch = tuple["ConsumerRecord[Any, Any]", ...]


class LossyAckPolicy(Exception):
    """A subscriber is declared so that a failed record would be committed and lost."""


@dataclass(frozen=True, slots=True)
class Broker:
    """The consumers of one process. Declare subscribers first, then `start`."""

    cluster: KafkaCluster
    topic_prefix: str
    faststream: KafkaBroker
    stop_within: timedelta
    _topics: list[str] = field(default_factory=list)
    _deliveries: list[BatchDelivery] = field(default_factory=list)

    async def start(self, component: HealthComponent) -> None:
        """Wait until Kafka and the topics are there, then consume. Raises LossyAckPolicy for a wrong declaration."""
        assert_at_least_once(self.faststream)
        await wait_for("kafka", self._attempt, component=component)

    async def stop(self) -> None:
        """Let the running batches finish in bounded time, commit them and leave the groups.

        A batch that failed and waits for its next attempt is left to whoever comes next.
        """
        for delivery in self._deliveries:
            delivery.stop()
        with suppress(TimeoutError):
            async with asyncio.timeout(self.stop_within.total_seconds()):
                await asyncio.gather(*(delivery.settled() for delivery in self._deliveries))
        await self.faststream.stop()

    async def _attempt(self) -> None:
        await partitions_of(self.cluster, self._topics)
        try:
            await connect_patiently(self.faststream)
            await self.faststream.start()
        except BaseException:
            await self.faststream.stop()
            raise

    def expect(self, topic: str, delivery: BatchDelivery) -> None:
        """Note a topic as deployed, which must exist before consuming starts, and who handles its batches."""
        self._topics.append(topic)
        self._deliveries.append(delivery)


@dataclass(frozen=True, slots=True)
class BatchConsumer:
    """A declared subscriber; what its owner may ask of it."""

    topic: str
    group: str
    _delivery: BatchDelivery

    async def progress(self) -> dict[int, PartitionProgress]:
        """Return {partition: (position, end)} of what this process is assigned; see `BatchDelivery.progress`."""
        return await self._delivery.progress()


def build_broker(
    cluster: str | KafkaCluster,
    *,
    client_id: str,
    topic_prefix: str = "",
    stop_within: timedelta = timedelta(seconds=15),
) -> Broker:
    """Return a broker with nothing declared. It only consumes, and never creates a topic.

    `stop_within` bounds what `Broker.stop` waits for a running handler, which is then cancelled: nothing is committed.
    """
    tolerate_foreign_header_names()
    cluster = KafkaCluster.of(cluster)
    faststream = KafkaBroker(
        cluster.bootstrap.split(","),
        security=cluster.faststream_security(),
        client_id=client_id,
        consumer_only=True,
        allow_auto_create_topics=False,
        graceful_timeout=_AFTER_SETTLING.total_seconds(),
        metadata_max_age_ms=_METADATA_AGE_MS,
        logger=None,
        apply_types=False,
    )
    return Broker(cluster=cluster, topic_prefix=topic_prefix, faststream=faststream, stop_within=stop_within)


def declare_batch_subscriber(
    broker: Broker,
    *,
    topic: str,
    group: str,
    handler: Handler,
    max_records: int = 500,
) -> BatchConsumer:
    """Consume `topic` as `group`: `handler` gets up to `max_records` records of all assigned partitions at a time.

    After `handler` has returned, exactly its records' offsets are committed, beside the next batch. When it raises, the
    same records come again after a growing pause, in order, without limit: what can never work is the handler's to put
    aside. `topic` and `group` are logical names, the broker's prefix comes before both. A new group begins at the
    oldest record.
    """
    deployed = broker.topic_prefix + topic
    delivery = BatchDelivery(handler, consumer=lambda: subscriber.consumer, logical_names={deployed: topic})
    broker.expect(deployed, delivery)
    subscriber = broker.faststream.subscriber(
        deployed,
        group_id=broker.topic_prefix + group,
        batch=True,
        max_records=max_records,
        ack_policy=AckPolicy.MANUAL,
        auto_offset_reset="earliest",
        isolation_level="read_committed",
        listener=delivery,
    )

    async def parse(raw: _Batch) -> StreamMessage[_Batch]:
        delivery.accept(raw)
        consumer = subscriber.consumer or FAKE_CONSUMER
        return KafkaAckableMessage(raw_message=raw, body=b"", headers={}, consumer=consumer)

    async def decode(message: StreamMessage[_Batch]) -> Sequence["ConsumerRecord[Any, Any]"]:
        return message.raw_message

    @subscriber(parser=parse, decoder=decode)
    async def deliver(records: Any) -> None:  # noqa: ANN401 - whatever `decode` returned, unvalidated on purpose
        await delivery.deliver(records)

    return BatchConsumer(topic=topic, group=group, _delivery=delivery)


def assert_at_least_once(broker: KafkaBroker) -> None:
    """Raise LossyAckPolicy if any subscriber of `broker` acknowledges before, or in spite of, its handler's result."""
    for subscriber in broker.subscribers:
        if subscriber.ack_policy in _AT_MOST_ONCE:
            raise LossyAckPolicy(
                f"{subscriber} has {subscriber.ack_policy}: write ack_policy= on the subscriber itself"
            )
