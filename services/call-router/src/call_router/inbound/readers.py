"""How the tasks that read topics get their readers and learn what the topics are."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Protocol

from fareline_chassis.kafka.assigned import AssignedReader, Place
from fareline_chassis.kafka.cluster import KafkaCluster
from fareline_chassis.kafka.topic_ids import topic_ids

TopicIds = Callable[[Sequence[str]], Awaitable[dict[str, str]]]


class MakeReader(Protocol):
    """Makes a reader of topics (logical names)."""

    def __call__(
        self, topics: Sequence[str], *, resume_at: Mapping[Place, int] | None = None, since_ms: int | None = None
    ) -> AssignedReader:
        """Return a reader, not started."""
        ...


class Topics:
    """The topics of one deployment, read without a group; `prefix` stands before every name."""

    def __init__(self, cluster: KafkaCluster, node: str, prefix: str) -> None:
        """`node` is what brokers know the reader by."""
        self._cluster = cluster
        self._node = node
        self._prefix = prefix

    def reader(
        self, topics: Sequence[str], *, resume_at: Mapping[Place, int] | None = None, since_ms: int | None = None
    ) -> AssignedReader:
        """Return a reader, not started."""
        return AssignedReader(
            self._cluster,
            topics,
            client_id=self._node,
            topic_prefix=self._prefix,
            resume_at=resume_at,
            since_ms=since_ms,
        )

    async def ids(self, topics: Sequence[str]) -> dict[str, str]:
        """Return the ids of topics (logical names); raises KafkaError or TopicUnavailable."""
        found = await topic_ids(self._cluster, [self._prefix + topic for topic in topics])
        return {deployed.removeprefix(self._prefix): topic_id for deployed, topic_id in found.items()}
