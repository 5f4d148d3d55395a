"""What publication needs from a service: rows that carry a revision and the revision last published."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from fareline_chassis.kafka.records import InRecord, OutRecord

RevisionOf = Callable[[InRecord], tuple[bytes, int] | None]
"""Tells (key, revision) of a record read back; None for records that have none, such as heartbeats."""

Heartbeat = Callable[[int, int, datetime], Awaitable[OutRecord | None]]
"""Makes the heartbeat of (partition, epoch, as_of): all committed before `as_of` is in Kafka. None: send none now.

It is asked before the rows are read and sent after they are acknowledged: what it reads of the database holds as well.
"""


@dataclass(frozen=True, slots=True)
class Publishable:
    """The newest state of one key. `value=None` is a tombstone."""

    key: bytes
    revision: int
    value: bytes | None
    headers: tuple[tuple[str, bytes | None], ...] = ()


class RevisionSource(Protocol):
    """The rows to publish. Each belongs to one partition and knows `revision` and `published_revision`.

    Every method may raise whatever the database raises; the publisher then waits and tries again.
    """

    async def now(self) -> datetime:
        """Return the database's clock."""

    async def unpublished(self, partition: int, limit: int) -> Sequence[Publishable]:
        """Return rows whose published revision differs from their revision; fewer than `limit` means: no others."""

    async def mark(self, published: Sequence[tuple[bytes, int]]) -> None:
        """Set the published revision of (key, revision), unless a higher one is already published."""

    async def mark_dirty(self, keys: Sequence[bytes]) -> Sequence[bytes]:
        """Give these rows a new revision, above any before it, so that they are published again.

        Under the old one a late mark would undo it, for a publisher may freeze between sending and marking. Return
        those for which somebody would have to be waited for: they are unchanged and to be told again. A key without a
        row is ignored, or gets its tombstone if one is due.
        """

    async def live(self, partition: int, after: bytes | None, limit: int) -> Sequence[Publishable]:
        """Return rows with key > `after` in key order, whether published or not; None means from the first."""
