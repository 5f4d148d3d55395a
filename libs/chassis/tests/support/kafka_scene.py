"""Topics and raw records on a real broker, for the chassis' own tests."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition

from fareline_chassis.kafka.topics import ensure_topics

Headers = Sequence[tuple[str, bytes | None]]


@dataclass(frozen=True)
class Spec:
    """A topic of a test."""

    name: str
    partitions: int = 1
    settings: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Scene:
    """One test's corner of the broker: everything under its own prefix."""

    bootstrap: str
    prefix: str

    async def topic(self, name: str, partitions: int = 1, **settings: str) -> None:
        """Create a topic; settings are written with underscores."""
        config = {key.replace("_", "."): value for key, value in settings.items()}
        await ensure_topics(self.bootstrap, [Spec(name, partitions, config)], prefix=self.prefix)

    async def append(self, topic: str, values: Sequence[bytes | None], *, key=b"k", partition=0, headers: Headers = ()):
        """Append raw records, one after the other, as somebody else's producer would."""
        producer = AIOKafkaProducer(bootstrap_servers=self.bootstrap)
        await producer.start()
        try:
            for value in values:
                await producer.send_and_wait(
                    self.prefix + topic, value, key=key, partition=partition, headers=list(headers)
                )
        finally:
            await producer.stop()

    async def transaction(self, topic: str, values: Sequence[bytes], *, commit: bool) -> None:
        """Append records in a transaction, and commit or abort it."""
        producer = AIOKafkaProducer(bootstrap_servers=self.bootstrap, transactional_id=self.prefix + "tx")
        await producer.start()
        try:
            await producer.begin_transaction()
            for value in values:
                await producer.send_and_wait(self.prefix + topic, value, partition=0)
            await (producer.commit_transaction() if commit else producer.abort_transaction())
        finally:
            await producer.stop()

    async def committed(self, topic: str, group: str, partition: int = 0) -> int | None:
        """Return the committed offset of a group."""
        consumer = AIOKafkaConsumer(
            bootstrap_servers=self.bootstrap, group_id=self.prefix + group, enable_auto_commit=False
        )
        await consumer.start()
        try:
            place = TopicPartition(self.prefix + topic, partition)
            consumer.assign([place])
            return await consumer.committed(place)
        finally:
            await consumer.stop()
