"""A consumer for those who handle one batch after the other: neither sleeps nor old buffers lie before a record.

FastStream sleeps after an empty poll for as long as the poll lasted: what arrives meanwhile waits for its waking up.
And what aiokafka has buffered at the end of a batch was fetched at its beginning: what came later would wait for the
batch after the next one.
"""

from contextlib import suppress
from functools import partial
from typing import Any

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition
from aiokafka.errors import KafkaError
from faststream.kafka import KafkaBroker

# How soon a stop is noticed; a record is there at once.
_LOOK_UP_EVERY_MS = 200

_Found = dict[TopicPartition, list["ConsumerRecord[Any, Any]"]]


class PatientConsumer(AIOKafkaConsumer):
    """An AIOKafkaConsumer whose `getmany` waits until there is something, and then takes all there is by now.

    `fresh_within_ms` is how long the brokers may take to say what has come since; they do so in about a millisecond.
    """

    fresh_within_ms = 3

    async def getmany(
        self,
        *partitions: TopicPartition,
        timeout_ms: int = 0,  # noqa: ARG002 - FastStream's, which is for polling
        max_records: int | None = None,
    ) -> _Found:
        """Return records of `partitions`, or of all, however long it takes; `timeout_ms` is not kept to.

        Raises ConsumerStoppedError once the consumer is stopped.
        """
        found: _Found = await super().getmany(*partitions, max_records=max_records)
        left = None if max_records is None else max_records - sum(map(len, found.values()))
        if found and left != 0:
            # The consumer stands behind what is found: it would never come again if an error took its place.
            with suppress(KafkaError):
                fresh = await super().getmany(*partitions, timeout_ms=self.fresh_within_ms, max_records=left)
                return _joined(found, fresh)
        while not found:
            found = await super().getmany(*partitions, timeout_ms=_LOOK_UP_EVERY_MS, max_records=max_records)
        return found


def _joined(first: _Found, then: _Found) -> _Found:
    return {part: first.get(part, []) + then.get(part, []) for part in first | then}


async def connect_patiently(broker: KafkaBroker) -> None:
    """Connect `broker`, whose subscribers then get patient consumers. Call it before each `start`."""
    await broker.connect()
    config = broker.config.broker_config
    made = config.builder
    if isinstance(made, partial):
        config.builder = partial(PatientConsumer, *made.args, **made.keywords)
