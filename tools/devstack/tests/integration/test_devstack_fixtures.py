"""The plugin's fixtures against the servers they promise."""

import asyncpg
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient

from fareline_contracts.topics import deployed_topics


async def test_kafka_gives_back_what_it_was_given(kafka_bootstrap, make_topic):
    topic = await make_topic("echo", partitions=1)
    async with AIOKafkaProducer(bootstrap_servers=kafka_bootstrap, enable_idempotence=True) as producer:
        await producer.send_and_wait(topic, key=b"k", value=b"v")
    async with AIOKafkaConsumer(
        topic, bootstrap_servers=kafka_bootstrap, group_id=f"{topic}-readers", auto_offset_reset="earliest"
    ) as consumer:
        record = await consumer.getone()
    assert (record.key, record.value) == (b"k", b"v")


async def test_registry_topics_are_all_there(kafka_bootstrap, registry_topics):
    admin = AIOKafkaAdminClient(bootstrap_servers=kafka_bootstrap)
    await admin.start()
    try:
        found = set(await admin.list_topics())
    finally:
        await admin.close()
    assert {f"{registry_topics}{topic.name}" for topic in deployed_topics()} <= found


async def test_database_is_empty_and_can_be_written(database_url):
    connection = await asyncpg.connect(database_url)
    try:
        await connection.execute("CREATE TABLE mine (id int)")
        assert await connection.fetchval("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'") == 1
        assert await connection.fetchval("SHOW server_version_num") >= "180000"
    finally:
        await connection.close()


async def test_next_test_has_another_database(database_url):
    connection = await asyncpg.connect(database_url)
    try:
        assert await connection.fetchval("SELECT to_regclass('mine')") is None
    finally:
        await connection.close()


def test_plain_functions_may_ask_too(database_url, topic_prefix):
    assert "/test_" in database_url
    assert topic_prefix.endswith("-")
