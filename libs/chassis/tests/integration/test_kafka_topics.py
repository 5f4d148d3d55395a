import pytest
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.errors import InvalidConfigurationError, KafkaConnectionError
from kafka_scene import Spec

from fareline_chassis.kafka.topics import PartitionsDiffer, TopicUnavailable, ensure_topics, partitions_of


async def settings_of(bootstrap: str, topic: str) -> dict[str, str]:
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    try:
        answers = await admin.describe_configs([ConfigResource(ConfigResourceType.TOPIC, topic)])
    finally:
        await admin.close()
    return {entry[0]: entry[1] for answer in answers for resource in answer.resources for entry in resource[4]}


async def test_topics_are_made_as_specified_and_only_once(kafka_bootstrap: str, topic_prefix: str) -> None:
    specs = [Spec("a", 2, {"cleanup.policy": "compact"}), Spec("b", 12)]
    await ensure_topics(kafka_bootstrap, specs, prefix=topic_prefix, partitions_override=3, min_insync=1)
    await ensure_topics(kafka_bootstrap, specs, prefix=topic_prefix, partitions_override=3, min_insync=1)

    names = [topic_prefix + spec.name for spec in specs]
    assert await partitions_of(kafka_bootstrap, names) == dict.fromkeys(names, 3)
    settings = await settings_of(kafka_bootstrap, names[0])
    assert (settings["cleanup.policy"], settings["min.insync.replicas"]) == ("compact", "1")


async def test_another_number_of_partitions_is_never_changed_silently(kafka_bootstrap: str, topic_prefix: str) -> None:
    await ensure_topics(kafka_bootstrap, [Spec("a", 2)], prefix=topic_prefix)

    with pytest.raises(PartitionsDiffer):
        await ensure_topics(kafka_bootstrap, [Spec("a", 3)], prefix=topic_prefix)


async def test_a_refused_topic_is_said(kafka_bootstrap: str, topic_prefix: str) -> None:
    with pytest.raises(InvalidConfigurationError):
        await ensure_topics(kafka_bootstrap, [Spec("a", 1, {"cleanup.policy": "maybe"})], prefix=topic_prefix)


async def test_a_missing_topic_and_a_missing_broker_are_told_apart(kafka_bootstrap: str, topic_prefix: str) -> None:
    with pytest.raises(TopicUnavailable):
        await partitions_of(kafka_bootstrap, [topic_prefix + "nowhere"])
    with pytest.raises(KafkaConnectionError):
        await partitions_of("127.0.0.1:1", ["t"])
