"""Waiting for records: neither polls nor sleeps lie between a record and its handler."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from aiokafka.errors import ConsumerStoppedError, KafkaError
from kafka_scene import Scene

from fareline_chassis.health import HealthComponent
from fareline_chassis.kafka.consumer import build_broker, declare_batch_subscriber
from fareline_chassis.kafka.patient import PatientConsumer


@asynccontextmanager
async def consuming(bootstrap: str, topic: str) -> AsyncIterator[PatientConsumer]:
    consumer = PatientConsumer(topic, bootstrap_servers=bootstrap, auto_offset_reset="earliest")
    await consumer.start()
    try:
        yield consumer
    finally:
        await consumer.stop()


def values(found) -> list[bytes]:
    return [record.value for records in found.values() for record in records]


async def test_nothing_is_no_answer_and_a_stop_is_an_error(kafka_bootstrap: str, topic_prefix: str) -> None:
    scene = Scene(kafka_bootstrap, topic_prefix)
    await scene.topic("t")
    async with consuming(kafka_bootstrap, topic_prefix + "t") as consumer:
        waiting = asyncio.create_task(consumer.getmany(timeout_ms=1))
        await asyncio.sleep(0.5)
        assert not waiting.done()
        await scene.append("t", [b"1"])
        assert values(await waiting) == [b"1"]

        waiting = asyncio.create_task(consumer.getmany(timeout_ms=1))
        await asyncio.sleep(0)
        await consumer.stop()
        with pytest.raises(ConsumerStoppedError):
            await waiting


async def test_what_came_while_a_batch_was_handled_comes_with_what_was_buffered(
    kafka_bootstrap: str, topic_prefix: str
) -> None:
    scene = Scene(kafka_bootstrap, topic_prefix)
    await scene.topic("t")
    async with consuming(kafka_bootstrap, topic_prefix + "t") as consumer:
        await scene.append("t", [b"0"])
        assert values(await consumer.getmany()) == [b"0"]
        consumer.fresh_within_ms = 20_000  # the machine of a test may be busy with others
        await scene.append("t", [b"1"])
        await asyncio.sleep(0.5)
        await scene.append("t", [b"2"])
        assert values(await consumer.getmany(max_records=2)) == [b"1", b"2"]


async def test_what_was_buffered_is_not_lost_to_trouble_with_what_came_since(
    kafka_bootstrap: str, topic_prefix: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    scene = Scene(kafka_bootstrap, topic_prefix)
    await scene.topic("t")
    async with consuming(kafka_bootstrap, topic_prefix + "t") as consumer:
        await scene.append("t", [b"0"])
        assert values(await consumer.getmany()) == [b"0"]
        await scene.append("t", [b"1"])
        await asyncio.sleep(0.5)
        troubles = [None, KafkaError("the group is in trouble")]

        def check_errors() -> None:
            if troubles and (trouble := troubles.pop(0)):
                raise trouble

        monkeypatch.setattr(consumer._coordinator, "check_errors", check_errors)
        assert values(await consumer.getmany()) == [b"1"]
        assert not troubles


async def test_every_subscriber_waits_like_that(kafka_bootstrap: str, topic_prefix: str) -> None:
    scene = Scene(kafka_bootstrap, topic_prefix)
    await scene.topic("t")
    broker = build_broker(kafka_bootstrap, client_id="test", topic_prefix=topic_prefix)

    async def ignore(records) -> None:
        return None

    declare_batch_subscriber(broker, topic="t", group="g", handler=ignore)
    await broker.start(HealthComponent("kafka"))
    try:
        assert [type(subscriber.consumer) for subscriber in broker.faststream.subscribers] == [PatientConsumer]
    finally:
        await broker.stop()
