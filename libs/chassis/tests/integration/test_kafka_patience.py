"""Waiting for records: neither polls nor sleeps lie between a record and its handler."""

import asyncio

import pytest
from aiokafka.errors import ConsumerStoppedError
from kafka_scene import Scene

from fareline_chassis.health import HealthComponent
from fareline_chassis.kafka.consumer import build_broker, declare_batch_subscriber
from fareline_chassis.kafka.patient import PatientConsumer


async def test_nothing_is_no_answer_and_a_stop_is_an_error(kafka_bootstrap: str, topic_prefix: str) -> None:
    scene = Scene(kafka_bootstrap, topic_prefix)
    await scene.topic("t")
    consumer = PatientConsumer(topic_prefix + "t", bootstrap_servers=kafka_bootstrap, auto_offset_reset="earliest")
    await consumer.start()
    waiting = asyncio.create_task(consumer.getmany(timeout_ms=1))
    await asyncio.sleep(0.5)
    assert not waiting.done()
    await scene.append("t", [b"1"])
    found = await waiting
    assert [record.value for records in found.values() for record in records] == [b"1"]

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
    consumer = PatientConsumer(topic_prefix + "t", bootstrap_servers=kafka_bootstrap, auto_offset_reset="earliest")
    await consumer.start()
    await scene.append("t", [b"0"])
    await consumer.getmany()
    await scene.append("t", [b"1"])
    await asyncio.sleep(0.5)
    await scene.append("t", [b"2", b"3"])
    found = await consumer.getmany(max_records=3)
    assert [record.value for records in found.values() for record in records] == [b"1", b"2", b"3"]
    await consumer.stop()


async def test_every_subscriber_waits_like_that(kafka_bootstrap: str, topic_prefix: str) -> None:
    scene = Scene(kafka_bootstrap, topic_prefix)
    await scene.topic("t")
    broker = build_broker(kafka_bootstrap, client_id="test", topic_prefix=topic_prefix)

    async def ignore(records) -> None:
        return None

    declare_batch_subscriber(broker, topic="t", group="g", handler=ignore)
    await broker.start(HealthComponent("kafka"))
    assert [type(subscriber.consumer) for subscriber in broker.faststream.subscribers] == [PatientConsumer]
    await broker.stop()
