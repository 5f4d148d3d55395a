"""The highest revision of each of very many keys, in some 40 bytes a key however long it is."""

from array import array
from zlib import crc32

HIGHEST = 2**63 - 1
"""Revisions lie between 0 and this."""
_SHARDS = 64
_SHARD_BITS = 7  # of a hash: the lowest is always set, six choose the shard
_FEWEST_SLOTS = 16


class Revisions:
    """Knows the highest revision taken of each key. Live keys are never forgotten, ended ones in the end.

    A key is known by 96 bits, 64 of them a secret hash that is new in each process: the chance that any two of a
    million keys share them is one in 10^17. The table is in parts, so that no pause for growing is long.
    """

    def __init__(self, ended_kept: int = 50_000) -> None:
        """About the `ended_kept` ended keys of the highest revisions are known for certain."""
        self._ended_kept = -(-ended_kept // _SHARDS)
        self._shards = [_Shard(_FEWEST_SLOTS) for _ in range(_SHARDS)]

    def take(self, key: bytes, revision: int, *, ended: bool) -> bool:
        """Keep a revision unless it is lower than the one known of `key`; return whether it is kept.

        `ended` says whether the key is over with it, and so may be forgotten one day. Raises OverflowError for a
        revision out of range.
        """
        first, second = hash(key) | 1, crc32(key)
        place = first >> 1 & _SHARDS - 1
        shard = self._shards[place]
        firsts, last = shard.firsts, shard.last
        slot = first >> _SHARD_BITS & last
        while found := firsts[slot]:
            if found == first and shard.seconds[slot] == second:
                return shard.raise_to(slot, revision, revision << 1 | ended)
            slot = slot + 1 & last
        shard.fill(slot, first, second, revision << 1 | ended)
        if not shard.room:
            self._shards[place] = shard.renewed(self._ended_kept)
        return True


class _Shard:
    """A hash table of open addressing. A state is a revision, shifted by a bit that says whether the key has ended."""

    __slots__ = ("firsts", "last", "room", "seconds", "states")

    def __init__(self, slots: int) -> None:
        self.firsts = array("q", bytes(8 * slots))
        self.seconds = array("I", bytes(4 * slots))
        self.states = array("Q", bytes(8 * slots))
        self.last = slots - 1
        self.room = slots * 3 // 4

    def raise_to(self, slot: int, revision: int, state: int) -> bool:
        states = self.states
        if revision < states[slot] >> 1:
            return False
        states[slot] = state
        return True

    def fill(self, slot: int, first: int, second: int, state: int) -> None:
        self.states[slot] = state  # the one that may be out of range
        self.firsts[slot] = first
        self.seconds[slot] = second
        self.room -= 1

    def renewed(self, ended_kept: int) -> "_Shard":
        """Return a table without what ended long ago, at most half full."""
        ended = sorted(state for state in self.states if state & 1)
        oldest = ended[-ended_kept] if len(ended) > ended_kept else 0
        rows = [
            row
            for row in zip(self.firsts, self.seconds, self.states, strict=True)
            if row[0] and (not row[2] & 1 or row[2] >= oldest)
        ]
        new = _Shard(max(_FEWEST_SLOTS, 1 << (2 * len(rows) - 1).bit_length()))
        firsts, last = new.firsts, new.last
        for first, second, state in rows:
            slot = first >> _SHARD_BITS & last
            while firsts[slot]:
                slot = slot + 1 & last
            new.fill(slot, first, second, state)
        return new
