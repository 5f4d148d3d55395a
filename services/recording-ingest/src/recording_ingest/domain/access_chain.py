"""The access log as a chain: each row's hash covers the row and the hash of the one before it."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

GENESIS: Final = hashlib.sha256(b"fareline access log").digest()
"""What the first row follows on; migration 0101 writes the same."""


@dataclass(frozen=True, slots=True)
class Link:
    """One row. `intact`: its hash is that of its content and of `previous`."""

    access_id: int
    previous: bytes
    hash: bytes
    intact: bool


@dataclass(frozen=True, slots=True)
class Walk:
    """How far the chain was followed. `broken` says where it breaks first and how; None while it does not.

    `kept`: a hash that somebody wrote down earlier; `kept_found` tells whether a row on the way carries it.
    """

    rows: int = 0
    last_id: int = 0
    last_hash: bytes = GENESIS
    broken: str | None = None
    kept: bytes | None = None
    kept_found: bool = False


def followed(walk: Walk, links: Sequence[Link]) -> Walk:
    """Return the walk after some more rows, in the order of their ids; it stops at the first one that does not fit."""
    rows, last_id, last_hash, found = walk.rows, walk.last_id, walk.last_hash, walk.kept_found
    broken = None
    for link in links:
        broken = _misfit(link, last_id, last_hash)
        if broken:
            break
        rows, last_id, last_hash = rows + 1, link.access_id, link.hash
        found = found or last_hash == walk.kept
    return replace(walk, rows=rows, last_id=last_id, last_hash=last_hash, broken=broken, kept_found=found)


def ended(walk: Walk, head: bytes | None) -> Walk:
    """Return the verdict after the last row; `head` is the hash with which the next row would begin."""
    if walk.broken:
        return walk
    if walk.last_hash != head:
        why = "the log does not end there: rows after it were removed, or it was added past the chain"
        return replace(walk, broken=f"after {_named(walk.last_id)}: {why}")
    if walk.kept and not walk.kept_found:
        return replace(
            walk, broken="no row carries the hash that was kept: the log was written anew, or is another one"
        )
    return walk


def _misfit(link: Link, last_id: int, last_hash: bytes) -> str | None:
    if not link.intact:
        return f"row {link.access_id}: it was changed, its hash is not that of its content"
    if link.previous != last_hash:
        why = f"it does not follow on {_named(last_id)}: a row was removed or added there"
        return f"row {link.access_id}: {why}"
    return None


def _named(access_id: int) -> str:
    return f"row {access_id}" if access_id else "the beginning"
