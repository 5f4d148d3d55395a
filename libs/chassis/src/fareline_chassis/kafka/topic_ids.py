"""The ids that brokers give topics: a topic deleted and made again has another one, and its offsets mean nothing.

aiokafka speaks an older version of the metadata request that does not tell them, so the newer one is spelt out here.
"""

from collections.abc import Sequence
from io import BytesIO
from typing import Any, cast
from uuid import UUID

from aiokafka.client import AIOKafkaClient
from aiokafka.errors import for_code
from aiokafka.protocol.api import Request, RequestStruct, Response
from aiokafka.protocol.types import (
    AbstractType,
    Boolean,
    CompactArray,
    CompactString,
    Int16,
    Int32,
    Schema,
    TaggedFields,
)

from fareline_chassis.kafka.cluster import KafkaCluster
from fareline_chassis.kafka.topics import TopicUnavailable

_NO_ID = UUID(int=0)


class _Uuid(AbstractType[UUID]):
    @classmethod
    def encode(cls, value: UUID) -> bytes:
        return value.bytes

    @classmethod
    def decode(cls, data: BytesIO) -> UUID:
        return UUID(bytes=data.read(16))


_BROKERS = CompactArray(
    ("node_id", Int32),
    ("host", CompactString("utf-8")),
    ("port", Int32),
    ("rack", CompactString("utf-8")),
    ("tags", TaggedFields),
)
_PARTITIONS = CompactArray(
    ("error_code", Int16),
    ("partition", Int32),
    ("leader", Int32),
    ("leader_epoch", Int32),
    ("replicas", CompactArray(Int32)),
    ("isr", CompactArray(Int32)),
    ("offline_replicas", CompactArray(Int32)),
    ("tags", TaggedFields),
)
_TOPICS = CompactArray(
    ("error_code", Int16),
    ("topic", CompactString("utf-8")),
    ("topic_id", _Uuid),
    ("is_internal", Boolean),
    ("partitions", _PARTITIONS),
    ("authorized_operations", Int32),
    ("tags", TaggedFields),
)


class _MetadataResponse(Response):
    API_KEY = 3
    API_VERSION = 12
    SCHEMA = Schema(
        ("throttle_time_ms", Int32),
        ("brokers", _BROKERS),
        ("cluster_id", CompactString("utf-8")),
        ("controller_id", Int32),
        ("topics", _TOPICS),
        ("tags", TaggedFields),
    )


class _MetadataRequestStruct(RequestStruct):
    FLEXIBLE_VERSION = True
    API_KEY = 3
    API_VERSION = 12
    RESPONSE_TYPE = _MetadataResponse
    SCHEMA = Schema(
        ("topics", CompactArray(("topic_id", _Uuid), ("topic", CompactString("utf-8")), ("tags", TaggedFields))),
        ("allow_auto_topic_creation", Boolean),
        ("include_authorized_operations", Boolean),
        ("tags", TaggedFields),
    )


class _MetadataRequest(Request[_MetadataRequestStruct]):
    API_KEY = 3

    def __init__(self, topics: Sequence[str]) -> None:
        self._topics = topics

    def build(self, request_struct_class: type[_MetadataRequestStruct]) -> _MetadataRequestStruct:
        return request_struct_class([(_NO_ID, topic, {}) for topic in self._topics], False, False, {})  # noqa: FBT003


async def topic_ids(cluster: str | KafkaCluster, topics: Sequence[str]) -> dict[str, str]:
    """Return the id of each topic (names as deployed) in 32 hexadecimal digits; empty from brokers that tell none.

    Raises TopicUnavailable for a missing topic, KafkaError when no broker answers.
    """
    client = AIOKafkaClient(**KafkaCluster.of(cluster).client_options())
    try:
        await client.bootstrap()
        answer: Any = await client.send(client.get_random_node(), cast("Any", _MetadataRequest(topics)))
    except NotImplementedError:  # what aiokafka says of a version that a broker does not have
        return {}
    finally:
        await client.close()
    found: dict[str, str] = {}
    for topic in answer.to_object()["topics"]:
        if topic["error_code"]:
            raise TopicUnavailable(f"topic {topic['topic']}: {for_code(topic['error_code']).__name__}")
        found[topic["topic"]] = topic["topic_id"].hex
    return found
