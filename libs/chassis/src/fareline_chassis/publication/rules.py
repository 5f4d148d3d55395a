"""Decisions of publication without any I/O."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from zlib import crc32

from fareline_chassis.publication.revisions import Revisions


@dataclass(slots=True)
class LastRecords:
    """What one partition holds as each key's last record, and whether that is also its highest revision.

    Compaction keeps the last record of a key, so a lower revision that was appended late would win in the end.
    """

    _revisions: Revisions = field(default_factory=Revisions)
    _stale: set[bytes] = field(default_factory=set)

    def observe(self, key: bytes, revision: int, *, tombstone: bool) -> bool:
        """Take the next record of the partition; return whether it is older than one before it.

        Raises OverflowError for a revision that is none (see `Revisions.take`).
        """
        if not self._revisions.take(key, revision, ended=tombstone):
            self._stale.add(key)
            return True
        self._stale.discard(key)
        return False

    def take_stale(self, limit: int) -> list[bytes]:
        """Return up to `limit` keys whose last record is not their highest revision, each once."""
        stale = sorted(self._stale)[:limit]
        self._stale.difference_update(stale)
        return stale

    def give_back(self, keys: Iterable[bytes]) -> None:
        """Take keys back that could not be seen to."""
        self._stale.update(keys)

    def forget(self) -> None:
        """Begin anew, before the partition is read from its beginning."""
        self._revisions = Revisions()
        self._stale.clear()


@dataclass(frozen=True, slots=True)
class Share:
    """What one holder should have of the partitions: `wanted` to keep or take, `given_up` to leave to others."""

    wanted: list[int]
    given_up: list[int]


def fair_share(partitions: Collection[int], held: Mapping[int, str], holder: str, *, holders: int) -> Share:
    """Return the share of `holder` when `holders` are there and `held` says who has which partition now.

    Nobody has more than ceil(partitions / holders); what somebody has he keeps, so that a newcomer moves no more
    partitions than he gets. Of the free ones each holder begins at a place of his own, lest all ask for the same.
    """
    most = -(-len(partitions) // max(holders, 1))
    mine = sorted(part for part in partitions if held.get(part) == holder)
    free = sorted(part for part in partitions if part not in held)
    begin = crc32(holder.encode()) % len(free) if free else 0
    free = free[begin:] + free[:begin]
    return Share(wanted=sorted(mine[:most] + free[: max(most - len(mine), 0)]), given_up=mine[most:])


@dataclass(slots=True)
class RepublishPace:
    """When everything live is sent again, and how fast: once every `every`, `per_second` records at most.

    Times are seconds of a monotonic clock. `after` is the key up to which the running round has come.
    """

    every: timedelta
    per_second: int
    next_round_at: float
    after: bytes | None = None
    _next_page_at: float = 0.0

    def page_size(self, now: float, limit: int) -> int:
        """Return how many records may be sent now; 0 while no round is due or the last page is still being paid for."""
        return 0 if now < max(self.next_round_at, self._next_page_at) else min(limit, self.per_second)

    def sent(self, now: float, *, asked: int, keys: list[bytes]) -> None:
        """Note a page: a short one ends the round."""
        self._next_page_at = now + len(keys) / self.per_second
        if len(keys) < asked:
            self.after = None
            self.next_round_at = now + self.every.total_seconds()
        else:
            self.after = keys[-1]
