"""Sending records: acknowledged by all replicas, idempotent, pipelined, and bounded in time."""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from datetime import timedelta
from typing import Any

from aiokafka import AIOKafkaProducer
from aiokafka.errors import (
    InvalidTopicError,
    KafkaError,
    MessageSizeTooLargeError,
    TopicAuthorizationFailedError,
)

from fareline_chassis.health import HealthComponent
from fareline_chassis.kafka.cluster import KafkaCluster
from fareline_chassis.kafka.records import OutRecord, RecordMetadata
from fareline_chassis.lifecycle import wait_for
from fareline_chassis.logs import get_logger

_REFUSALS = (MessageSizeTooLargeError, InvalidTopicError, TopicAuthorizationFailedError)
_STOP_TIMEOUT = timedelta(seconds=5)
_MAX_REQUEST_BYTES = 1024 * 1024
log = get_logger(__name__)


class DeliveryUnknown(Exception):
    """No answer in time: the records may or may not stand in Kafka. Send them, or newer ones, again."""


class DeliveryRefused(Exception):
    """Kafka will not take some records, however often they come; all others of the call were acknowledged.

    `refused` names them: (index in the call, name of Kafka's error).
    """

    def __init__(self, refused: Sequence[tuple[int, str]]) -> None:
        super().__init__(f"{len(refused)} records refused: {sorted({name for _, name in refused})}")
        self.refused = tuple(refused)


class Producer:
    """One producer, for any number of tasks at once.

    After a time-out aiokafka's idempotent producer neither recovers nor stops, so it is dropped and a new one made.
    """

    def __init__(
        self,
        cluster: str | KafkaCluster,
        *,
        client_id: str,
        topic_prefix: str = "",
        timeout: timedelta = timedelta(seconds=10),
        max_request_bytes: int = _MAX_REQUEST_BYTES,
    ) -> None:
        """`timeout` bounds each `send`; `topic_prefix` comes before every topic.

        A record above `max_request_bytes` is refused without asking the brokers. Where it is above what a topic takes,
        send large records alone: after its refusal the brokers take nothing more of the same call.
        """
        self._cluster = KafkaCluster.of(cluster)
        self._client_id = client_id
        self._prefix = topic_prefix
        self._timeout = timeout.total_seconds()
        self._max_request_bytes = max_request_bytes
        self._producer: AIOKafkaProducer | None = None
        self._connecting = asyncio.Lock()
        self._abandoned: set[asyncio.Task[None]] = set()

    async def start(self, component: HealthComponent) -> None:
        """Connect; waits until Kafka is there."""
        await wait_for("kafka", self._connected, component=component)

    async def stop(self) -> None:
        """Flush and close, in bounded time."""
        producer, self._producer = self._producer, None
        if producer is not None:
            await _close(producer)
        if self._abandoned:
            await asyncio.wait(self._abandoned)

    async def send(self, records: Sequence[OutRecord]) -> list[RecordMetadata]:
        """Send all and wait for all acknowledgements; records of one partition keep their order.

        Raises DeliveryUnknown (nothing can be said of any of them) or DeliveryRefused (the rest was acknowledged).
        """
        if not records:
            return []
        deadline = asyncio.get_running_loop().time() + self._timeout
        used: AIOKafkaProducer | None = None
        acks: list[asyncio.Future[Any]] = []
        try:
            async with asyncio.timeout_at(deadline):
                used = await self._connected()
                acks = [await self._enqueue(used, record) for record in records]
                await asyncio.wait(acks)
            return _settled(acks)
        except DeliveryRefused:
            # The refused records' sequence numbers are gone: the broker would take nothing more from this producer.
            self._abandon(used)
            raise
        except (KafkaError, TimeoutError, OSError) as error:
            self._abandon(used)
            raise DeliveryUnknown(f"{len(records)} records: {type(error).__name__}") from error
        finally:
            for ack in acks:
                ack.add_done_callback(_retrieve)

    async def _connected(self) -> AIOKafkaProducer:
        async with self._connecting:
            if self._producer is None:
                producer = AIOKafkaProducer(
                    **self._cluster.client_options(),
                    client_id=self._client_id,
                    acks="all",
                    enable_idempotence=True,
                    max_request_size=self._max_request_bytes,
                )
                try:
                    await producer.start()
                except BaseException:
                    await _close(producer)
                    raise
                self._producer = producer
            return self._producer

    async def _enqueue(self, producer: AIOKafkaProducer, record: OutRecord) -> asyncio.Future[Any]:
        try:
            acknowledged: asyncio.Future[Any] = await producer.send(
                self._prefix + record.topic,
                key=record.key,
                value=record.value,
                partition=record.partition,
                timestamp_ms=record.timestamp_ms,
                headers=list(record.headers),
            )
        except _REFUSALS as error:
            acknowledged = asyncio.get_running_loop().create_future()
            acknowledged.set_exception(error)
        return acknowledged

    def _abandon(self, producer: AIOKafkaProducer | None) -> None:
        if producer is not None and self._producer is producer:
            self._producer = None
            log.warning("kafka.producer_dropped")
            task = asyncio.create_task(_close(producer))
            self._abandoned.add(task)
            task.add_done_callback(self._abandoned.discard)


def _settled(acks: Sequence[asyncio.Future[Any]]) -> list[RecordMetadata]:
    errors = [(index, error) for index, ack in enumerate(acks) if (error := ack.exception()) is not None]
    for _, error in errors:
        if not isinstance(error, _REFUSALS):
            raise error
    if errors:
        raise DeliveryRefused([(index, type(error).__name__) for index, error in errors])
    return [RecordMetadata(ack.result().topic, ack.result().partition, ack.result().offset) for ack in acks]


def _retrieve(ack: asyncio.Future[Any]) -> None:
    if not ack.cancelled():
        ack.exception()


async def _close(producer: AIOKafkaProducer) -> None:
    with suppress(KafkaError, TimeoutError):
        async with asyncio.timeout(_STOP_TIMEOUT.total_seconds()):
            await producer.stop()
        return
    # stop() waits for the sender, and an idempotent sender waits for a broker for ever: end it from below.
    sender = producer._sender.sender_task
    if sender is not None:
        sender.cancel()
        await asyncio.wait([sender], timeout=_STOP_TIMEOUT.total_seconds())
    with suppress(KafkaError, TimeoutError):
        async with asyncio.timeout(_STOP_TIMEOUT.total_seconds()):
            await producer.client.close()
