"""Two instances on one real topic: one publishes, the other takes over under a higher epoch; both beat."""

import asyncio
from datetime import UTC, datetime

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


async def heartbeat(partition: int, epoch: int, as_of: datetime) -> OutRecord:
    return OutRecord("t", b"_hb/0", b"%d" % epoch, partition=partition)


async def test_the_second_instance_takes_over_and_goes_on(kafka_bootstrap: str, topic_prefix: str) -> None:
    scene = Scene(kafka_bootstrap, topic_prefix)
    await scene.topic("t")
    rows, leases = MemoryRows(now), MemoryLeaseStore(now)
    producer = Producer(kafka_bootstrap, client_id="test", topic_prefix=topic_prefix)
    await producer.start(HealthComponent("kafka"))

    def reader() -> AssignedReader:
        return AssignedReader(kafka_bootstrap, ["t"], client_id="test", topic_prefix=topic_prefix)

    def instance(name: str) -> Publication:
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
        found = [record.value async for batch in cold.load() for record in batch if record.key == key]
        await cold.stop()
        return found

    async def beats(epoch: bytes) -> bool:
        return (await values(b"_hb/0")).count(epoch) >= 2

    first = instance("first")
    tasks = [asyncio.create_task(first.run())]
    rows.put(b"a", 1, b"1")
    await eventually(lambda: asyncio.sleep(0, rows.published == {b"a": 1}))
    second = instance("second")
    tasks.append(asyncio.create_task(second.run()))
    await eventually(lambda: beats(b"1"), every=0.2)

    tasks[0].cancel()
    await asyncio.wait(tasks[:1])
    rows.put(b"a", 2, b"2")
    second.wake()
    await eventually(lambda: asyncio.sleep(0, rows.published == {b"a": 2}))
    await eventually(lambda: beats(b"2"), every=0.2)
    assert (await values(b"a"))[-1] == b"2"

    tasks[1].cancel()
    await asyncio.wait(tasks)
    await producer.stop()
