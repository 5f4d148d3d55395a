import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

import pytest
from eventually import eventually
from kafka_scene import Scene

from fareline_chassis.health import HealthComponent
from fareline_chassis.kafka.assigned import AssignedReader
from fareline_chassis.kafka.partitioner import partition_for
from fareline_chassis.kafka.producer import DeliveryRefused, DeliveryUnknown, Producer
from fareline_chassis.kafka.records import InRecord, OutRecord

SHORT = timedelta(seconds=3)


@pytest.fixture
def scene(kafka_bootstrap: str, topic_prefix: str) -> Scene:
    return Scene(kafka_bootstrap, topic_prefix)


@pytest.fixture
async def producer(scene: Scene):
    producer = Producer(scene.bootstrap, client_id="test", topic_prefix=scene.prefix)
    await producer.start(HealthComponent("kafka"))
    yield producer
    await producer.stop()


async def read(scene: Scene) -> list[InRecord]:
    reader = AssignedReader(scene.bootstrap, ["t"], client_id="test", topic_prefix=scene.prefix)
    await reader.start(HealthComponent("kafka"))
    try:
        return [record for batch in [batch async for batch in reader.load()] for record in batch]
    finally:
        await reader.stop()


@asynccontextmanager
async def impatient(own_kafka, prefix: str) -> AsyncIterator[tuple[Producer, Scene]]:
    """Start the Kafka and give a producer that has sent one record to it, with little patience for the next."""
    scene = Scene(await asyncio.to_thread(own_kafka.start), prefix)
    await scene.topic("t")
    producer = Producer(scene.bootstrap, client_id="test", topic_prefix=scene.prefix, timeout=SHORT)
    await producer.start(HealthComponent("kafka"))
    try:
        await eventually(lambda: delivered(producer, OutRecord("t", b"k", b"before")))
        yield producer, scene
    finally:
        await producer.stop()


async def test_records_arrive_whole_in_order_and_where_their_key_belongs(scene: Scene, producer: Producer) -> None:
    await scene.topic("t", partitions=3)
    records = [OutRecord("t", b"k%d" % (n % 7), b"%d" % n, (("h", b"\xff"), ("h", None))) for n in range(200)]
    tombstone = OutRecord("t", b"gone", None, partition=2, timestamp_ms=1_764_000_000_000)

    metadata = await producer.send([*records, tombstone])
    got = await read(scene)

    assert [place.partition for place in metadata[:-1]] == [partition_for(rec.key or b"", 3) for rec in records]
    for key in {record.key for record in records}:
        assert [rec.value for rec in got if rec.key == key] == [rec.value for rec in records if rec.key == key]
    assert {record.headers for record in got if record.value} == {(("h", b"\xff"), ("h", None))}
    assert [(rec.partition, rec.value, rec.timestamp_ms) for rec in got if rec.key == b"gone"] == [
        (2, None, 1_764_000_000_000)
    ]


async def test_many_tasks_share_it(scene: Scene, producer: Producer) -> None:
    await scene.topic("t")

    sent = await asyncio.gather(*[producer.send([OutRecord("t", b"%d" % n, b"")] * 3) for n in range(30)])

    assert sorted(place.offset for metadata in sent for place in metadata) == list(range(90))


async def test_what_is_too_large_is_named_and_its_neighbours_are_acknowledged(scene: Scene, producer: Producer) -> None:
    await scene.topic("t")

    with pytest.raises(DeliveryRefused) as refusal:
        await producer.send(
            [OutRecord("t", b"a", b"1"), OutRecord("t", b"b", b"x" * 2_000_000), OutRecord("t", b"c", b"3")]
        )

    assert refusal.value.refused == ((1, "MessageSizeTooLargeError"),)
    assert [record.value for record in await read(scene)] == [b"1", b"3"]


async def test_nobody_there_is_an_unknown_delivery_in_bounded_time() -> None:
    producer = Producer("127.0.0.1:1", client_id="test", timeout=SHORT)

    try:
        with pytest.raises(DeliveryUnknown):
            await producer.send([OutRecord("t", b"k", b"v")])
    finally:
        await producer.stop()


async def test_a_broker_that_falls_silent_costs_only_the_time_out(own_kafka, topic_prefix: str) -> None:
    async with impatient(own_kafka, topic_prefix) as (producer, scene):
        own_kafka.process.freeze()
        async with asyncio.timeout(30):
            with pytest.raises(DeliveryUnknown):
                await producer.send([OutRecord("t", b"k", b"unknown")])
            with pytest.raises(DeliveryUnknown):
                await producer.send([OutRecord("t", b"k", b"unknown")])
        own_kafka.process.resume()
        await eventually(lambda: delivered(producer, OutRecord("t", b"k", b"after")))

    values = [record.value for record in await read(scene)]
    assert (values[0], values[-1]) == (b"before", b"after")


async def delivered(producer: Producer, record: OutRecord) -> bool:
    """Send as callers do: an unknown delivery is repeated. A broker that just woke, or came, may need longer."""
    try:
        return bool(await producer.send([record]))
    except DeliveryUnknown:
        return False


async def test_it_stops_in_bounded_time_without_a_broker(own_kafka, topic_prefix: str) -> None:
    async with impatient(own_kafka, topic_prefix) as (producer, _):
        own_kafka.process.freeze()
        with pytest.raises(DeliveryUnknown):
            await producer.send([OutRecord("t", b"k", b"v")])

        async with asyncio.timeout(30):
            await producer.stop()
        own_kafka.process.resume()
