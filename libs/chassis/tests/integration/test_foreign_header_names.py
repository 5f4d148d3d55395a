"""A header name that is no UTF-8, on a real broker: aiokafka alone stalls on it and loses records around it."""

import asyncio

import pytest
from aiokafka.producer import message_accumulator, producer
from aiokafka.record.default_records import _DefaultRecordBatchBuilderPy
from eventually import eventually
from kafka_scene import Scene

from fareline_chassis.health import HealthComponent
from fareline_chassis.kafka.assigned import AssignedReader
from fareline_chassis.kafka.consumer import build_broker, declare_batch_subscriber
from fareline_chassis.kafka.records import InRecord


class ForeignName(str):
    """A header name that goes out as bytes which are no text."""

    __slots__ = ()

    def encode(self, encoding: str = "utf-8", errors: str = "strict") -> bytes:
        return b"caf\xe9"


@pytest.fixture
async def scene(kafka_bootstrap: str, topic_prefix: str, monkeypatch: pytest.MonkeyPatch) -> Scene:
    """Two partitions; in the first a foreign name among good records."""
    for module in (message_accumulator, producer):
        monkeypatch.setattr(module, "DefaultRecordBatchBuilder", _DefaultRecordBatchBuilderPy)
    scene = Scene(kafka_bootstrap, topic_prefix)
    await scene.topic("t", partitions=2)
    await scene.append("t", [b"%d" % n for n in range(5)], partition=0)
    await scene.append("t", [b"5"], partition=0, headers=[(ForeignName("cafe"), b"1")])
    await scene.append("t", [b"%d" % n for n in range(6, 10)], partition=0)
    await scene.append("t", [b"%d" % n for n in range(10)], partition=1)
    return scene


def seen_whole(records: list[InRecord]) -> None:
    for partition in (0, 1):
        mine = [(record.offset, record.value) for record in records if record.partition == partition]
        assert mine == [(n, b"%d" % n) for n in range(10)]
    named = {record.headers for record in records if record.headers}
    assert named == {(("caf\ufffd", b"1"),)}


async def test_a_consumer_group_loses_nothing_and_goes_on(scene: Scene) -> None:
    got: list[InRecord] = []

    async def handler(records) -> None:
        got.extend(records)

    broker = build_broker(scene.bootstrap, client_id="test", topic_prefix=scene.prefix)
    declare_batch_subscriber(broker, topic="t", group="g", handler=handler, max_records=3)
    await broker.start(HealthComponent("kafka"))
    try:
        await eventually(lambda: asyncio.sleep(0, len(got) == 20))
    finally:
        await broker.stop()

    seen_whole(got)
    assert [await scene.committed("t", "g", partition) for partition in (0, 1)] == [10, 10]


async def test_a_reader_without_a_group_loads_everything(scene: Scene) -> None:
    reader = AssignedReader(scene.bootstrap, ["t"], client_id="test", topic_prefix=scene.prefix)
    await reader.start(HealthComponent("kafka"))
    try:
        got = [record for batch in [batch async for batch in reader.load()] for record in batch]
    finally:
        await reader.stop()

    seen_whole(got)
