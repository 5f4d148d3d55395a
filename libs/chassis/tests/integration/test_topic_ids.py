"""Topic ids as real brokers give them."""

import pytest
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError
from eventually import eventually

from fareline_chassis.kafka.topic_ids import topic_ids
from fareline_chassis.kafka.topics import TopicUnavailable


async def test_a_topic_made_again_has_another_id(kafka_bootstrap, make_topic):
    names = [await make_topic("a"), await make_topic("b", partitions=1)]

    async def ids():
        try:
            return await topic_ids(kafka_bootstrap, names)
        except TopicUnavailable:  # made, but not told everywhere yet
            return None

    before = await eventually(ids)
    assert set(before) == set(names)
    assert len(set(before.values())) == 2
    assert all(len(found) == 32 and int(found, 16) for found in before.values())
    assert await topic_ids(kafka_bootstrap, names) == before

    admin = AIOKafkaAdminClient(bootstrap_servers=kafka_bootstrap)
    await admin.start()
    try:
        await admin.delete_topics([names[0]])
    finally:
        await admin.close()

    async def remade():
        try:
            await make_topic("a")
        except KafkaError:  # the old one is still going
            return None
        found = await ids()
        return found if found and found[names[0]] != before[names[0]] else None

    after = await eventually(remade)
    assert after[names[1]] == before[names[1]]


async def test_what_is_missing_is_named(kafka_bootstrap, topic_prefix):
    with pytest.raises(TopicUnavailable, match=topic_prefix):
        await topic_ids(kafka_bootstrap, [f"{topic_prefix}none"])


async def test_nobody_listens():
    with pytest.raises(KafkaError):
        await topic_ids("127.0.0.1:1", ["any"])
