import asyncio
from contextlib import asynccontextmanager

import pytest
from eventually import eventually
from kafka_scene import Scene

from fareline_chassis.health import HealthComponent
from fareline_chassis.kafka.assigned import AssignedReader
from fareline_chassis.kafka.records import InRecord


@pytest.fixture
def scene(kafka_bootstrap: str, topic_prefix: str) -> Scene:
    return Scene(kafka_bootstrap, topic_prefix)


@asynccontextmanager
async def reading(scene: Scene, *topics: str, **where):
    reader = AssignedReader(scene.bootstrap, topics, client_id="test", topic_prefix=scene.prefix, **where)
    await reader.start(HealthComponent("kafka"))
    try:
        yield reader
    finally:
        await reader.stop()


async def loaded(reader: AssignedReader) -> list[InRecord]:
    return [record for batch in [batch async for batch in reader.load()] for record in batch]


async def test_several_topics_are_loaded_under_their_logical_names_and_followed(scene: Scene) -> None:
    await scene.topic("a", partitions=2)
    await scene.topic("b")
    for partition in (0, 1):
        await scene.append("a", [b"%d" % n for n in range(3)], partition=partition)
    async with reading(scene, "a", "b") as reader:
        assert not reader.caught_up
        got = await loaded(reader)

        assert sorted({(record.topic, record.partition) for record in got}) == [("a", 0), ("a", 1)]
        assert len(got) == 6
        assert reader.caught_up
        assert await reader.positions() == reader.ends == {("a", 0): 3, ("a", 1): 3, ("b", 0): 0}

        await scene.append("b", [b"later"])
        async for batch in reader.tail():
            assert [(record.topic, record.value) for record in batch] == [("b", b"later")]
            break


async def test_empty_topics_are_caught_up_at_once(scene: Scene) -> None:
    await scene.topic("a", partitions=3)
    async with reading(scene, "a") as reader:
        assert await loaded(reader) == []
        assert reader.caught_up


async def test_a_reader_goes_on_where_another_stopped(scene: Scene) -> None:
    await scene.topic("a", partitions=2)
    await scene.append("a", [b"0", b"1", b"2"])
    await scene.append("a", [b"x"], partition=1)
    async with reading(scene, "a", resume_at={("a", 0): 2, ("a", 1): 999}) as reader:
        got = await loaded(reader)

    assert {record.value for record in got} == {b"2", b"x"}


async def test_a_reader_begins_at_a_time(scene: Scene) -> None:
    await scene.topic("a", partitions=2)
    await scene.append("a", [b"old"])
    async with reading(scene, "a") as reader:
        since = (await loaded(reader))[0].timestamp_ms + 1
    await asyncio.sleep(0.01)
    await scene.append("a", [b"new"])
    async with reading(scene, "a", since_ms=since) as reader:
        assert [record.value for record in await loaded(reader)] == [b"new"]


async def test_a_missing_topic_is_waited_for_and_said(scene: Scene) -> None:
    component = HealthComponent("kafka")
    reader = AssignedReader(scene.bootstrap, ["late"], client_id="test", topic_prefix=scene.prefix)
    starting = asyncio.create_task(reader.start(component))
    try:
        await eventually(lambda: asyncio.sleep(0, "late" in component.detail))
        assert component.state == "waiting"
        await scene.topic("late")
        await starting
    finally:
        starting.cancel()
        await asyncio.wait([starting])
        await reader.stop()


async def test_a_broker_that_falls_silent_is_noticed_and_so_is_its_return(own_kafka, topic_prefix: str) -> None:
    scene = Scene(await asyncio.to_thread(own_kafka.start), topic_prefix)
    await scene.topic("a")
    async with reading(scene, "a") as reader:
        await loaded(reader)
        assert reader.silence() < 5
        own_kafka.process.freeze()
        await eventually(lambda: asyncio.sleep(0, reader.silence() > 5))
        own_kafka.process.resume()
        await eventually(lambda: asyncio.sleep(0, reader.silence() < 1))
