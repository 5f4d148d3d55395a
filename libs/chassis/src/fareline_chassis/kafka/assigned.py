"""Reading whole topics without a group: every partition, from the beginning to the end, then whatever comes."""

import asyncio
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import timedelta

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError

from fareline_chassis.clock import Monotonic
from fareline_chassis.health import HealthComponent
from fareline_chassis.kafka.cluster import KafkaCluster
from fareline_chassis.kafka.foreign_names import tolerate_foreign_header_names
from fareline_chassis.kafka.records import InRecord, in_record
from fareline_chassis.kafka.topics import partitions_of
from fareline_chassis.lifecycle import wait_for
from fareline_chassis.logs import get_logger

Place = tuple[str, int]  # topic (logical name), partition
_PROBE_EVERY = timedelta(seconds=1)
_PROBE_TIMEOUT = timedelta(seconds=3)
_POLL = timedelta(milliseconds=200)
log = get_logger(__name__)


class AssignedReader:
    """Reads all partitions of some topics: `start`, `async for batch in load()`, then `in tail()`, `stop`.

    Nothing is committed. `caught_up` turns true, for good, when everything that stood there at the start was yielded
    and taken. A dead broker raises nothing in aiokafka, so the reader asks for the ends once a second: see `silence`.
    """

    def __init__(
        self,
        cluster: str | KafkaCluster,
        topics: Sequence[str],
        *,
        client_id: str,
        topic_prefix: str = "",
        resume_at: Mapping[Place, int] | None = None,
        since_ms: int | None = None,
        max_records: int = 1000,
        monotonic: Monotonic = time.monotonic,
    ) -> None:
        """Read `topics` (logical names) from the beginning.

        `since_ms`: begin at the first record of that Kafka time (ms since 1970) instead. `resume_at`: begin a partition
        at this offset instead (from `positions()` of an earlier run; one that no longer exists means the beginning).
        """
        tolerate_foreign_header_names()
        self._cluster = KafkaCluster.of(cluster)
        self._names = {topic_prefix + topic: topic for topic in topics}
        self._client_id = client_id
        self._resume_at = dict(resume_at or {})
        self._since_ms = since_ms
        self._max_records = max_records
        self._monotonic = monotonic
        self._consumer: AIOKafkaConsumer | None = None
        self._partitions: list[TopicPartition] = []
        self._ends: dict[TopicPartition, int] = {}
        self._goal: dict[TopicPartition, int] = {}
        self._heard_at: float | None = None
        self._probe: asyncio.Task[None] | None = None
        self.caught_up = False

    async def start(self, component: HealthComponent) -> None:
        """Find the partitions and their present ends; waits until Kafka and the topics are there."""
        await wait_for("kafka", self._attempt, component=component)
        self._probe = asyncio.create_task(self._keep_probing())

    async def stop(self) -> None:
        """Close the connection; a running `load` or `tail` ends."""
        probe, self._probe = self._probe, None
        consumer, self._consumer = self._consumer, None
        if probe is not None:
            probe.cancel()
            await asyncio.wait([probe])
        if consumer is not None:
            await _close(consumer)

    async def load(self) -> AsyncIterator[list[InRecord]]:
        """Yield batches up to the ends found at the start; none for empty topics."""
        while self._consumer is not None and not await self._reached():
            batch = await self._poll()
            if batch:
                yield batch
        self.caught_up = self._consumer is not None

    async def tail(self) -> AsyncIterator[list[InRecord]]:
        """Yield batches as they come, until `stop`."""
        while self._consumer is not None:
            batch = await self._poll()
            if batch:
                yield batch

    def silence(self) -> float:
        """Return the seconds since the brokers were last heard of (records, or an answer to the probe)."""
        return float("inf") if self._heard_at is None else self._monotonic() - self._heard_at

    async def positions(self) -> dict[Place, int]:
        """Return the next offset to read of each partition; while a batch is being taken it is counted as read."""
        if self._consumer is None:
            return {}
        return {self._place(part): await self._consumer.position(part) for part in self._partitions}

    @property
    def ends(self) -> dict[Place, int]:
        """The end offset of each partition when last asked."""
        return {self._place(part): end for part, end in self._ends.items()}

    def _place(self, part: TopicPartition) -> Place:
        return self._names[part.topic], part.partition

    async def _attempt(self) -> None:
        counts = await partitions_of(self._cluster, list(self._names))
        self._partitions = [TopicPartition(topic, n) for topic, count in counts.items() for n in range(count)]
        consumer = AIOKafkaConsumer(
            **self._cluster.client_options(),
            client_id=self._client_id,
            group_id=None,
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            isolation_level="read_committed",
        )
        try:
            await consumer.start()
            consumer.assign(self._partitions)
            self._ends = dict(await consumer.end_offsets(self._partitions))
            await self._seek(consumer)
        except BaseException:
            await _close(consumer)
            raise
        self._goal = dict(self._ends)
        self._consumer, self._heard_at = consumer, self._monotonic()

    async def _seek(self, consumer: AIOKafkaConsumer) -> None:
        await consumer.seek_to_beginning(*self._partitions)
        if self._since_ms is not None:
            found = await consumer.offsets_for_times(dict.fromkeys(self._partitions, self._since_ms))
            for part, place in found.items():
                consumer.seek(part, self._ends[part] if place is None else place.offset)
        for part in self._partitions:
            resume = self._resume_at.get(self._place(part))
            if resume is not None and resume <= self._ends[part]:
                consumer.seek(part, resume)

    async def _reached(self) -> bool:
        consumer = self._consumer
        # Positions, not offsets seen: compaction and transaction markers leave gaps before the end.
        return consumer is None or all([await consumer.position(part) >= end for part, end in self._goal.items()])

    async def _poll(self) -> list[InRecord]:
        if self._consumer is None:
            return []
        fetched = await self._consumer.getmany(
            timeout_ms=int(_POLL.total_seconds() * 1000), max_records=self._max_records
        )
        if fetched:
            self._heard_at = self._monotonic()
        return [in_record(record, self._names) for records in fetched.values() for record in records]

    async def _keep_probing(self) -> None:
        while self._consumer is not None:
            await asyncio.sleep(_PROBE_EVERY.total_seconds())
            try:
                async with asyncio.timeout(_PROBE_TIMEOUT.total_seconds()):
                    self._ends = dict(await self._consumer.end_offsets(self._partitions))
            except (KafkaError, TimeoutError) as error:
                log.warning("kafka.cut_off", topics=sorted(self._names.values()), error=type(error).__name__)
            else:
                self._heard_at = self._monotonic()


async def _close(consumer: AIOKafkaConsumer) -> None:
    try:
        await consumer.stop()
    except asyncio.CancelledError:
        # aiokafka leaks the cancellation of its own tasks; only one meant for us goes on.
        task = asyncio.current_task()
        if task is not None and task.cancelling():
            raise
