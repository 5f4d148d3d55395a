"""Create topics on a running Kafka: those of the registry, or any that a test asks for."""

from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.errors import KafkaError, for_code

from fareline_contracts.topics import deployed_topics
from fareline_devstack.errors import DevstackError

PARTITIONS = 3
ALREADY_EXISTS = 36


@dataclass(frozen=True, slots=True)
class TopicSpec:
    """A topic to create; `config` holds Kafka's own setting names."""

    name: str
    partitions: int = PARTITIONS
    config: Mapping[str, str] = field(default_factory=dict)


def registry_specs(prefix: str = "", partitions: int = PARTITIONS) -> list[TopicSpec]:
    """Return every topic of the contracts, dead-letter topics included, named with `prefix`."""
    return [
        TopicSpec(name=f"{prefix}{topic.name}", partitions=partitions, config=topic.settings)
        for topic in deployed_topics()
    ]


async def create_topics(bootstrap: str, specs: Iterable[TopicSpec]) -> None:
    """Create the topics that do not exist yet; those that do are left as they are.

    Raises `DevstackError` when Kafka does not answer, or naming the first topic that it refused.
    """
    wanted = [_new_topic(spec) for spec in specs]
    async with _admin(bootstrap) as admin:
        response = await admin.create_topics(wanted)
    for name, code, *said in response.topic_errors:
        if code not in {0, ALREADY_EXISTS}:
            raise DevstackError(f"Kafka refused the topic {name}: {_reason(code, said)}")


async def delete_topics(bootstrap: str, names: Sequence[str]) -> None:
    """Delete topics; those that do not exist are no error."""
    async with _admin(bootstrap) as admin:
        await admin.delete_topics(list(names))


@asynccontextmanager
async def _admin(bootstrap: str) -> AsyncIterator[AIOKafkaAdminClient]:
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    try:
        await admin.start()
    except KafkaError as silent:
        await admin.close()
        raise DevstackError(f"Kafka does not answer at {bootstrap}: {silent}") from silent
    try:
        yield admin
    finally:
        await admin.close()


def _new_topic(spec: TopicSpec) -> NewTopic:
    return NewTopic(
        name=spec.name, num_partitions=spec.partitions, replication_factor=1, topic_configs=dict(spec.config)
    )


def _reason(code: int, said: Sequence[str | None]) -> str:
    return (said[0] if said else None) or str(for_code(code).__name__)
