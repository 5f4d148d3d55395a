"""Dead letters to be worked off: what lies there, sent again exactly as it came, or dropped.

Single records cannot be deleted from a topic. What was dealt with is therefore settled by a record of its own, in the
same partition and with an empty value, whose header `dlq-settles` names the letter's offset; it outlives the letter.
"""

import asyncio
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from aiokafka.errors import KafkaError

from fareline_chassis.health import HealthComponent
from fareline_chassis.kafka.assigned import AssignedReader
from fareline_chassis.kafka.cluster import KafkaCluster
from fareline_chassis.kafka.dlq import MAX_LETTER_BYTES, NOTHING, SUFFIX, TRUNCATED, without_dlq
from fareline_chassis.kafka.producer import DeliveryRefused, DeliveryUnknown, Producer
from fareline_chassis.kafka.records import InRecord, OutRecord
from fareline_chassis.kafka.topics import TopicUnavailable, partitions_of

SETTLES = "dlq-settles"
HOW = "dlq-settled-by"
_PAGE = 100
_PATIENCE = timedelta(seconds=15)


class DeadLettersUnavailable(Exception):
    """Kafka or the topic of dead letters cannot be reached; the message says why."""


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """Where a letter lies in the topic of dead letters, written `partition/offset`."""

    partition: int
    offset: int

    @classmethod
    def parse(cls, text: str) -> "Place":
        """Return the place that `text` names. Raises ValueError."""
        partition, slash, offset = text.partition("/")
        if not (slash and partition.isdecimal() and offset.isdecimal()):
            raise ValueError(f"{text!r} is no place such as 0/17")
        return cls(int(partition), int(offset))

    def __str__(self) -> str:
        return f"{self.partition}/{self.offset}"


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """One letter nobody has settled yet, as it lies in the topic of dead letters."""

    record: InRecord

    @property
    def place(self) -> Place:
        """Return where it lies."""
        return Place(self.record.partition, self.record.offset)

    @property
    def died_at(self) -> datetime:
        """Return when it was put aside."""
        return datetime.fromtimestamp(self.record.timestamp_ms / 1000, UTC)

    @property
    def reason(self) -> str:
        """Return the short code of why."""
        return self.about("reason")

    @property
    def obstacle(self) -> str | None:
        """Return why this letter cannot be sent again, None if it can."""
        if self.record.header(TRUNCATED) is not None:
            return "it was too large to be kept whole"
        if self.record.header(NOTHING) is not None:
            return "it has neither key nor value"
        if self.about("topic") + SUFFIX != self.record.topic:
            return "it does not say that it came from this topic"
        return None

    def about(self, name: str) -> str:
        """Return what the header `dlq-<name>` says, empty where there is none."""
        return (self.record.header(f"dlq-{name}") or b"").decode(errors="replace")

    def original(self, partitions: int) -> OutRecord:
        """Return the record as it first came: key, bytes, headers, time, and its partition if there still is one."""
        partition, timestamp = self.about("partition"), self.about("timestamp")
        here = int(partition) if partition.isdecimal() and int(partition) < partitions else None
        return OutRecord(
            topic=self.record.topic.removesuffix(SUFFIX),
            key=self.record.key,
            value=self.record.value,
            headers=without_dlq(self.record.headers),
            partition=here,
            timestamp_ms=int(timestamp) if timestamp.isdecimal() else None,
        )


@dataclass(frozen=True, slots=True)
class Selection:
    """Which letters are meant: those at `places`, else those that have one of `reasons` and died since `since`."""

    places: Collection[Place] = ()
    reasons: Collection[str] = ()
    since: datetime | None = None

    def of(self, letters: Iterable[DeadLetter]) -> list[DeadLetter]:
        """Return the letters that are meant, in their order."""
        if self.places:
            return [letter for letter in letters if letter.place in self.places]
        return [
            letter
            for letter in letters
            if (not self.reasons or letter.reason in self.reasons)
            and (self.since is None or letter.died_at >= self.since)
        ]


def unsettled(records: Iterable[InRecord]) -> list[DeadLetter]:
    """Return the letters among `records`, partitions in their order, that no later record settles; oldest first."""
    found: dict[Place, DeadLetter] = {}
    for record in records:
        settles = record.header(SETTLES)
        if settles is None:
            letter = DeadLetter(record)
            found[letter.place] = letter
        elif settles.isdigit():
            found.pop(Place(record.partition, int(settles)), None)
    return sorted(found.values(), key=lambda letter: (letter.record.timestamp_ms, letter.place))


class DeadLetterBox:
    """The dead letters of one topic."""

    def __init__(self, cluster: str | KafkaCluster, topic: str, *, client_id: str, topic_prefix: str = "") -> None:
        """`topic` is the logical name of the topic whose records died."""
        self._cluster = cluster
        self._topic = topic
        self._client_id = client_id
        self._prefix = topic_prefix

    async def read(self) -> list[DeadLetter]:
        """Return all unsettled letters, oldest first. Raises DeadLettersUnavailable."""
        reader = AssignedReader(
            self._cluster, [self._topic + SUFFIX], client_id=self._client_id, topic_prefix=self._prefix
        )
        component = HealthComponent("dead letters")
        try:
            async with asyncio.timeout(_PATIENCE.total_seconds()):
                await reader.start(component)
                return unsettled([record async for batch in reader.load() for record in batch])
        except (TimeoutError, KafkaError, OSError) as error:
            raise DeadLettersUnavailable(component.detail or type(error).__name__) from error
        finally:
            await reader.stop()

    async def replay(self, letters: Sequence[DeadLetter]) -> int:
        """Send letters to the topic they came from, exactly as they came, and settle them; return how many.

        Those with an obstacle are left alone. Cut off in between, some may be sent twice, which consumers bear.
        Raises DeadLettersUnavailable.
        """
        sound = [letter for letter in letters if letter.obstacle is None]
        try:
            counts = await partitions_of(self._cluster, [self._prefix + self._topic])
        except (TopicUnavailable, KafkaError, OSError) as error:
            raise DeadLettersUnavailable(str(error) or type(error).__name__) from error
        partitions = counts[self._prefix + self._topic]
        await self._send(sound, "replay", [letter.original(partitions) for letter in sound])
        return len(sound)

    async def drop(self, letters: Sequence[DeadLetter]) -> int:
        """Settle letters without sending them; return how many. Raises DeadLettersUnavailable."""
        await self._send(letters, "drop", None)
        return len(letters)

    async def _send(self, letters: Sequence[DeadLetter], how: str, originals: Sequence[OutRecord] | None) -> None:
        producer = Producer(
            self._cluster,
            client_id=self._client_id,
            topic_prefix=self._prefix,
            timeout=_PATIENCE,
            max_request_bytes=MAX_LETTER_BYTES,
        )
        try:
            for start in range(0, len(letters), _PAGE):
                page = slice(start, start + _PAGE)
                if originals is not None:
                    await producer.send(originals[page])
                await producer.send([_settling(letter, how) for letter in letters[page]])
        except (DeliveryUnknown, DeliveryRefused) as error:
            raise DeadLettersUnavailable(f"{error}; what was settled before stays so") from error
        finally:
            await producer.stop()


def _settling(letter: DeadLetter, how: str) -> OutRecord:
    return OutRecord(
        topic=letter.record.topic,
        key=letter.record.key,
        value=b"",
        headers=((SETTLES, b"%d" % letter.place.offset), (HOW, how.encode())),
        partition=letter.place.partition,
    )
