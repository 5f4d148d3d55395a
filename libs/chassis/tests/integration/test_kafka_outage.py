"""Kafka away, at the start and later: a consumer waits, says so, and loses nothing."""

import asyncio

from eventually import eventually
from kafka_scene import Scene

from fareline_chassis.health import HealthComponent
from fareline_chassis.kafka.consumer import build_broker, declare_batch_subscriber


async def test_a_consumer_waits_for_kafka_and_its_topic_and_survives_an_outage(own_kafka, topic_prefix: str) -> None:
    scene = Scene(await asyncio.to_thread(own_kafka.start), topic_prefix)
    await asyncio.to_thread(own_kafka.stop)
    got: list[bytes | None] = []

    async def handler(records) -> None:
        got.extend(record.value for record in records)

    component = HealthComponent("kafka")
    broker = build_broker(scene.bootstrap, client_id="test", topic_prefix=topic_prefix)
    consumer = declare_batch_subscriber(broker, topic="t", group="g", handler=handler)
    starting = asyncio.create_task(broker.start(component))
    try:
        await eventually(lambda: asyncio.sleep(0, "KafkaConnectionError" in component.detail))

        await asyncio.to_thread(own_kafka.start)
        await eventually(lambda: asyncio.sleep(0, "TopicUnavailable" in component.detail))
        assert component.state == "waiting"

        await scene.topic("t")
        await starting
        assert component.state == "ok"
        await scene.append("t", [b"1"])
        await eventually(lambda: asyncio.sleep(0, got == [b"1"]))

        await asyncio.to_thread(own_kafka.stop)
        await asyncio.to_thread(own_kafka.start)
        await scene.append("t", [b"2"])
        await eventually(lambda: asyncio.sleep(0, got[-1] == b"2"), within=60)

        async def caught_up() -> bool:
            progress = await consumer.progress()
            return bool(progress) and progress[0].caught_up

        await eventually(caught_up)
    finally:
        starting.cancel()
        await asyncio.wait([starting])
        await broker.stop()
    assert await scene.committed("t", "g") == 2
