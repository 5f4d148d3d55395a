"""Two processes: they share the work evenly, and what one of them leaves undone is seen by everybody."""

import signal
from datetime import UTC, datetime

import pytest
from aiokafka import AIOKafkaProducer
from binder_events import furnish
from binder_process import everything, order_json, until

from fareline_contracts.bindings import Heartbeat
from fareline_devstack.ports import free_port
from order_binder.domain.orders import OrderKey

PARTITIONS = 3
NAMES = [f"late-{n}" for n in range(PARTITIONS)]
STATE = """
SELECT (SELECT min(as_of) FROM order_binder.input_progress) AS as_of,
       (SELECT array_agg(order_id) FROM order_binder.orders WHERE order_id LIKE 'late-%') AS done
"""
SHARES = """
SELECT topic, holder, count(*) AS partitions FROM order_binder.publication_lease
WHERE expires_at > clock_timestamp() GROUP BY topic, holder
"""


async def shares(database, topic="fareline.bindings.v1"):
    """Return how many partitions of a topic each holder has, most first."""
    async with database.acquire() as connection:
        rows = await connection.fetch(SHARES)
    return sorted((row["partitions"] for row in rows if row["topic"] == topic), reverse=True)


async def produce_everywhere(env, sent_at):
    """Append one order to each partition, all with the time `sent_at`."""
    producer = AIOKafkaProducer(bootstrap_servers=env["KAFKA_BOOTSTRAP"])
    await producer.start()
    try:
        for partition, name in enumerate(NAMES):
            value = order_json(name, 1, client={"id": name, "phones": [f"+7926000000{partition}"]})
            topic = env["KAFKA_TOPIC_PREFIX"] + "taxi.orders.v1"
            at = int(sent_at.timestamp() * 1000)
            await producer.send_and_wait(topic, value, key=name.encode(), partition=partition, timestamp_ms=at)
    finally:
        await producer.stop()


@pytest.mark.timeout(600)
async def test_a_frozen_process_is_neither_missed_nor_hidden(binder_env, start_binder, registry, reader, *, database):
    await furnish(registry)
    first = start_binder(binder_env)
    await first.ready()

    async def alone():
        return await shares(database) == [PARTITIONS]

    await until(alone, say=first.log.read_text)
    second = start_binder({**binder_env, "HTTP_PORT": str(free_port())})
    await second.ready()

    async def shared_out():
        return await shares(database) == [2, 1]

    await until(shared_out, say=second.log.read_text)

    async def assigned():
        return second.log.read_text().count('"kafka.assigned"') and await shared_input(database)

    await until(assigned, say=second.log.read_text)
    first.process.send_signal(signal.SIGSTOP)
    sent_at = datetime.now(UTC)
    await produce_everywhere(binder_env, sent_at)

    async def done():
        async with database.acquire() as connection:
            row = await connection.fetchrow(STATE)
        if set(row["done"] or ()) == set(NAMES):
            return True
        assert row["as_of"] < sent_at, "something was undone, and the record of the input did not show it"
        return False

    await until(done, say=second.log.read_text)
    await until(alone, say=second.log.read_text)
    for name in NAMES:
        assert (await reader.order(OrderKey("demo", name)))[0].bound

    async def told():
        topic = binder_env["KAFKA_TOPIC_PREFIX"] + "fareline.bindings.v1"
        records = await everything(binder_env["KAFKA_BOOTSTRAP"], topic)
        beats = [Heartbeat.model_validate_json(each.value) for each in records if each.key.startswith(b"_hb/")]
        fresh = {beat.partition for beat in beats if beat.input_as_of > sent_at}
        bound = {each.key for each in records}
        return fresh == set(range(PARTITIONS)) and {f"demo/{name}".encode() for name in NAMES} <= bound

    await until(told, say=second.log.read_text)
    first.process.send_signal(signal.SIGCONT)
    await until(shared_out, say=first.log.read_text)
    assert (first.terminate(), second.terminate()) == (0, 0)
    assert await shares(database) == []


async def shared_input(database):
    """Tell whether every partition of the input is followed again after a rebalance."""
    async with database.acquire() as connection:
        return await connection.fetchval(
            "SELECT max(clock_timestamp() - updated_at) < interval '3 s' FROM order_binder.input_progress"
        )
