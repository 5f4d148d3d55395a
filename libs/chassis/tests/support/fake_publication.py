"""In-memory doubles of what publication talks to. The lease store is pinned to the real one by `lease_conformance`."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from fareline_chassis.kafka.records import OutRecord, RecordMetadata
from fareline_chassis.publication.leases import LEASE_FOR
from fareline_chassis.publication.rules import fair_share
from fareline_chassis.publication.source import Publishable


@dataclass
class MemoryLeaseStore:
    """Leases in a dictionary, by the clock it is given."""

    clock: Callable[[], datetime]
    _rows: dict[tuple[str, int], tuple[str, int, datetime]] = field(default_factory=dict)
    _present: dict[tuple[str, str], datetime] = field(default_factory=dict)

    async def acquire(self, topic: str, partitions: Sequence[int], holder: str) -> Mapping[int, int]:
        """Take or renew a fair share."""
        now = self.clock()
        self._present[topic, holder] = now + LEASE_FOR
        latest = now + LEASE_FOR
        present = {who for (where, who), until in self._present.items() if where == topic and now < until <= latest}
        held = {
            n: who for (where, n), (who, _, until) in self._rows.items() if where == topic and now < until <= latest
        }
        share = fair_share(partitions, held, holder, holders=len(present | set(held.values())))
        for partition in share.given_up:
            self._rows[topic, partition] = (holder, self._rows[topic, partition][1], now)
        for partition in share.wanted:
            _, epoch, _ = self._rows.get((topic, partition), ("", 0, now))
            renewed = held.get(partition) == holder
            self._rows[topic, partition] = (holder, epoch if renewed else epoch + 1, now + LEASE_FOR)
        return {partition: self._rows[topic, partition][1] for partition in share.wanted}

    async def release(self, topic: str, holder: str) -> None:
        """Let the leases expire."""
        self._present.pop((topic, holder), None)
        for place, (owner, epoch, expires_at) in self._rows.items():
            if place[0] == topic and owner == holder:
                self._rows[place] = (owner, epoch, min(expires_at, self.clock()))


@dataclass
class MemoryRows:
    """A revision source: rows of one partition in dictionaries."""

    clock: Callable[[], datetime]
    rows: dict[bytes, tuple[int, bytes | None]] = field(default_factory=dict)
    published: dict[bytes, int] = field(default_factory=dict)
    locked: set[bytes] = field(default_factory=set)

    def put(self, key: bytes, revision: int, value: bytes | None = b"{}") -> None:
        """Write a row, as a service's transaction would."""
        self.rows[key] = (revision, value)

    async def now(self) -> datetime:
        """Return the store's clock."""
        return self.clock()

    async def unpublished(self, partition: int, limit: int) -> Sequence[Publishable]:
        """Return what differs."""
        different = [key for key, (revision, _) in self.rows.items() if self.published.get(key) != revision]
        return [self._publishable(key) for key in different[:limit]]

    async def mark(self, published: Sequence[tuple[bytes, int]]) -> None:
        """Note as published."""
        for key, revision in published:
            self.published[key] = max(revision, self.published.get(key, 0))

    async def mark_dirty(self, keys: Sequence[bytes]) -> Sequence[bytes]:
        """Give these a new revision, but for those that are locked."""
        for key in self.rows.keys() & set(keys) - self.locked:
            revision, value = self.rows[key]
            self.rows[key] = (max(revision + 1, int(self.clock().timestamp())), value)
        return [key for key in keys if key in self.locked]

    async def live(self, partition: int, after: bytes | None, limit: int) -> Sequence[Publishable]:
        """Return the next page."""
        return [self._publishable(key) for key in sorted(self.rows) if after is None or key > after][:limit]

    def _publishable(self, key: bytes) -> Publishable:
        revision, value = self.rows[key]
        return Publishable(key=key, revision=revision, value=value, headers=(("revision", b"%d" % revision),))


@dataclass
class MemoryTopic:
    """A sender that keeps what it was given; `failures` are raised first, one for each call."""

    sent: list[OutRecord] = field(default_factory=list)
    failures: list[Exception] = field(default_factory=list)

    async def send(self, records: Sequence[OutRecord]) -> list[RecordMetadata]:
        """Append, or fail after having appended, as a lost acknowledgement does."""
        self.sent.extend(records)
        if self.failures:
            raise self.failures.pop(0)
        return [RecordMetadata(record.topic, record.partition or 0, 0) for record in records]

    @property
    def revisions(self) -> list[tuple[bytes | None, int]]:
        """(key, revision) of all records that carry one, in order."""
        return [(rec.key, int(dict(rec.headers)["revision"])) for rec in self.sent if dict(rec.headers).get("revision")]
