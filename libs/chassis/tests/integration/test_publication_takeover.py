"""Two instances on one real topic: one publishes, the other takes over under a higher epoch; both beat."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime, timedelta

import pytest
from eventually import eventually
from fake_publication import MemoryLeaseStore, MemoryRows
from kafka_scene import Scene

from fareline_chassis.health import Health, HealthComponent
from fareline_chassis.kafka.assigned import AssignedReader
from fareline_chassis.kafka.producer import Producer
from fareline_chassis.kafka.records import OutRecord
from fareline_chassis.publication.publication import Publication


def now() -> datetime:
    return datetime.now(UTC)


@asynccontextmanager
async def running(publication: Publication) -> AsyncIterator[None]:
    task = asyncio.create_task(publication.run())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.wait([task])


@asynccontextmanager
async def producing(bootstrap: str, prefix: str) -> AsyncIterator[Producer]:
    producer = Producer(bootstrap, client_id="test", topic_prefix=prefix)
    await producer.start(HealthComponent("kafka"))
    try:
        yield producer
    finally:
        await producer.stop()


async def heartbeat(partition: int, epoch: int, as_of: datetime) -> OutRecord:
    return OutRecord("t", b"_hb/0", b"%d" % epoch, partition=partition)


async def test_the_second_instance_takes_over_and_goes_on(
    kafka_bootstrap: str, topic_prefix: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("fake_publication.LEASE_FOR", timedelta(hours=1))  # handed over, never lost
    scene = Scene(kafka_bootstrap, topic_prefix)
    await scene.topic("t")
    rows, leases = MemoryRows(now), MemoryLeaseStore(now)

    def reader() -> AssignedReader:
        return AssignedReader(kafka_bootstrap, ["t"], client_id="test", topic_prefix=topic_prefix)

    def instance(name: str, producer: Producer) -> Publication:
        return Publication(
            topic="t",
            partitions=1,
            holder=name,
            source=rows,
            sender=producer,
            leases=leases,
            reader=reader,
            revision_of=lambda record: None,
            health=Health(),
            heartbeat=heartbeat,
        )

    async def values(key: bytes) -> list[bytes | None]:
        cold = reader()
        await cold.start(HealthComponent("kafka"))
        try:
            return [record.value async for batch in cold.load() for record in batch if record.key == key]
        finally:
            await cold.stop()

    async def beats(epoch: bytes) -> bool:
        return (await values(b"_hb/0")).count(epoch) >= 2

    async with producing(kafka_bootstrap, topic_prefix) as producer:
        second = instance("second", producer)
        async with AsyncExitStack() as later:
            async with running(instance("first", producer)):
                rows.put(b"a", 1, b"1")
                await eventually(lambda: asyncio.sleep(0, rows.published == {b"a": 1}))
                await later.enter_async_context(running(second))
                await eventually(lambda: beats(b"1"), every=0.2)

            rows.put(b"a", 2, b"2")
            second.wake()
            await eventually(lambda: asyncio.sleep(0, rows.published == {b"a": 2}))
            await eventually(lambda: beats(b"2"), every=0.2)
            assert (await values(b"a"))[-1] == b"2"
