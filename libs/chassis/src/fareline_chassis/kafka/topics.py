"""Topics as they stand in the brokers: find out, or make them so."""

import asyncio
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any, Protocol

from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.errors import TopicAlreadyExistsError, for_code

from fareline_chassis.kafka.cluster import KafkaCluster

_POLL = timedelta(milliseconds=100)
_TIMEOUT = timedelta(seconds=30)


class TopicSpec(Protocol):
    """What a topic must be. `settings` are Kafka's own topic configuration names and values."""

    @property
    def name(self) -> str: ...  # noqa: D102
    @property
    def partitions(self) -> int: ...  # noqa: D102
    @property
    def settings(self) -> Mapping[str, str]: ...  # noqa: D102


class TopicUnavailable(Exception):
    """A topic does not exist, or a partition of it has no leader at the moment."""


class PartitionsDiffer(Exception):
    """A topic exists with another number of partitions; keys would move, so nobody changes it silently."""


async def ensure_topics(
    cluster: str | KafkaCluster,
    specs: Iterable[TopicSpec],
    *,
    prefix: str = "",
    partitions_override: int | None = None,
    replication: int = 1,
    min_insync: int | None = None,
) -> None:
    """Create the topics that are missing and return when every partition has a leader; existing ones stay as they are.

    Raises PartitionsDiffer, TimeoutError (30 s), or the brokers' refusal as a KafkaError.
    """
    new = [
        NewTopic(
            name=prefix + spec.name,
            num_partitions=partitions_override or spec.partitions,
            replication_factor=replication,
            topic_configs={**spec.settings, **({} if min_insync is None else {"min.insync.replicas": str(min_insync)})},
        )
        for spec in specs
    ]
    wanted = {topic.name: topic.num_partitions for topic in new}
    async with asyncio.timeout(_TIMEOUT.total_seconds()), _admin(cluster) as admin:
        _check_created(await admin.create_topics(new))
        found = await _when_led(admin, list(wanted))
    different = {name: count for name, count in found.items() if count != wanted[name]}
    if different:
        raise PartitionsDiffer(f"partitions are {different}, wanted { ({name: wanted[name] for name in different}) }")


async def partitions_of(cluster: str | KafkaCluster, topics: Sequence[str]) -> dict[str, int]:
    """Return the number of partitions of each topic (names as deployed).

    Raises TopicUnavailable for a missing topic or leader, KafkaError when no broker answers.
    """
    async with _admin(cluster) as admin:
        return _counts(await admin.describe_topics(list(topics)))


@asynccontextmanager
async def _admin(cluster: str | KafkaCluster) -> AsyncIterator[AIOKafkaAdminClient]:
    admin = AIOKafkaAdminClient(**KafkaCluster.of(cluster).client_options())
    try:
        await admin.start()
        yield admin
    finally:
        await admin.close()


def _check_created(response: Any) -> None:  # noqa: ANN401 - aiokafka is untyped here
    for result in response.to_object()["topic_errors"]:
        error = for_code(result["error_code"])
        if result["error_code"] and error is not TopicAlreadyExistsError:
            raise error(f"{result['topic']}: {result['error_message']}")


def _counts(described: list[Any]) -> dict[str, int]:
    for topic in described:
        led = all(part["error_code"] == 0 and part["leader"] >= 0 for part in topic["partitions"])
        if topic["error_code"] or not topic["partitions"] or not led:
            raise TopicUnavailable(f"topic {topic['topic']}: {for_code(topic['error_code']).__name__}")
    return {topic["topic"]: len(topic["partitions"]) for topic in described}


async def _when_led(admin: AIOKafkaAdminClient, topics: list[str]) -> dict[str, int]:
    while True:
        try:
            return _counts(await admin.describe_topics(topics))
        except TopicUnavailable:
            await asyncio.sleep(_POLL.total_seconds())
