"""Servers of a test's own: what they survive, and what they leave behind."""

import os

import asyncpg
import pytest
from aiokafka.admin import AIOKafkaAdminClient

from fareline_devstack.errors import DevstackError
from fareline_devstack.kafka.probe import brokers_of
from fareline_devstack.kafka.topics import TopicSpec, create_topics, delete_topics
from fareline_devstack.postgres.probe import answers_query


async def execute(dsn, statement):
    connection = await asyncpg.connect(dsn)
    try:
        return await connection.fetchval(statement)
    finally:
        await connection.close()


async def test_postgres_comes_back_at_its_address_with_its_data(own_postgres):
    dsn = own_postgres.start()
    await execute(dsn, "CREATE TABLE kept (id int)")
    own_postgres.stop()
    assert not await answers_query(dsn)
    assert own_postgres.start() == dsn
    assert await execute(dsn, "SELECT to_regclass('kept')::text") == "kept"


async def test_postgres_comes_back_after_sigkill(own_postgres):
    dsn = own_postgres.start()
    own_postgres.process.kill()
    assert own_postgres.start() == dsn
    assert await answers_query(dsn)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root needs another account for the server")
async def test_postgres_runs_from_a_copy_where_the_wheel_is_out_of_its_reach(own_postgres, monkeypatch):
    monkeypatch.setattr("fareline_devstack.postgres.native.open_to_all", lambda path: False)
    assert await answers_query(own_postgres.start())


async def test_kafka_comes_back_at_its_address_with_its_topics(own_kafka):
    bootstrap = own_kafka.start()
    await create_topics(bootstrap, [TopicSpec("kept")])
    own_kafka.stop()
    assert own_kafka.start() == bootstrap
    assert await brokers_of(bootstrap) == 1
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    try:
        assert "kept" in await admin.list_topics()
    finally:
        await admin.close()


async def test_creating_topics_twice_is_harmless_and_nonsense_is_refused(kafka_bootstrap, topic_prefix):
    spec = TopicSpec(f"{topic_prefix}once", partitions=1)
    await create_topics(kafka_bootstrap, [spec])
    await create_topics(kafka_bootstrap, [spec])
    await delete_topics(kafka_bootstrap, [spec.name])
    with pytest.raises(DevstackError, match=f"refused the topic {topic_prefix}bad"):
        await create_topics(kafka_bootstrap, [TopicSpec(f"{topic_prefix}bad", config={"cleanup.policy": "sometimes"})])
