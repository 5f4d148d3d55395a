"""How far the topics have been read, and whether reading may go on from there."""

from datetime import datetime, timedelta

from call_router.domain.values import Value
from fareline_contracts.topics import COMPACTED

# Half of the time for which Kafka keeps tombstones: what was deleted meanwhile is certainly still said to be.
CONTINUES_WITHIN = timedelta(milliseconds=int(COMPACTED["delete.retention.ms"])) / 2
Offsets = dict[str, dict[int, int]]


class TopicsRead(Value, frozen=True):
    """The offsets to go on at, by topic and partition, of topics with these ids; all was read that stood there `at`."""

    topic_ids: dict[str, str]
    offsets: Offsets
    at: datetime

    def continues(self, topic: str, ids: dict[str, str], now: datetime) -> bool:
        """Whether `topic`, which has the id in `ids` today, may be read on from the offsets.

        Not where it is another topic of that name, and not after so long that tombstones may be gone.
        """
        known = self.topic_ids.get(topic)
        return known is not None and known == ids.get(topic) and timedelta(0) <= now - self.at < CONTINUES_WITHIN

    def only(self, *topics: str) -> "TopicsRead":
        """Return what is said of some topics."""
        ids = {topic: found for topic, found in self.topic_ids.items() if topic in topics}
        return TopicsRead(ids, {topic: found for topic, found in self.offsets.items() if topic in topics}, self.at)

    def places(self, *topics: str) -> dict[tuple[str, int], int]:
        """Return the offsets of some topics by (topic, partition)."""
        return {(topic, part): offset for topic in topics for part, offset in self.offsets.get(topic, {}).items()}
