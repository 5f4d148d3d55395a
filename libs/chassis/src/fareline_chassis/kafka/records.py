"""Records as they cross the edge: bytes in, bytes out, no interpretation."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

from aiokafka import ConsumerRecord


class InRecord(NamedTuple):
    """One record as Kafka holds it. A tuple, for a replica reads a million of them, and these are made the fastest.

    `topic` is the logical name, without the deployment's prefix. `timestamp_ms` is Kafka's own, ms since 1970.
    Header values are whatever bytes (or null) the sender wrote; a name may stand there several times.
    """

    topic: str
    partition: int
    offset: int
    timestamp_ms: int
    key: bytes | None
    value: bytes | None
    headers: tuple[tuple[str, bytes | None], ...] = ()

    def header(self, name: str) -> bytes | None:
        """Return the first value of header `name`, None when it is absent or null."""
        for key, value in self.headers:
            if key == name:
                return value
        return None


@dataclass(frozen=True, slots=True)
class OutRecord:
    """One record to send. `topic` is the logical name; the producer puts the prefix before it.

    `value=None` is a tombstone. Without `partition` the key decides (Kafka's murmur2), without
    `timestamp_ms` it is now.
    """

    topic: str
    key: bytes | None
    value: bytes | None
    headers: tuple[tuple[str, bytes | None], ...] = ()
    partition: int | None = None
    timestamp_ms: int | None = None


@dataclass(frozen=True, slots=True)
class RecordMetadata:
    """Where a sent record stands, after the brokers' acknowledgement."""

    topic: str
    partition: int
    offset: int


def in_record(raw: "ConsumerRecord[bytes | None, bytes | None]", logical_names: Mapping[str, str]) -> InRecord:
    """Translate aiokafka's record; `logical_names` maps the topic as deployed to its logical name."""
    name = logical_names.get(raw.topic, raw.topic)
    return InRecord(name, raw.partition, raw.offset, raw.timestamp, raw.key, raw.value, tuple(raw.headers))
