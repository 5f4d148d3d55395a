"""A PBX that keeps a number of bytes: when newer recordings push out one that was not fetched yet.

All of it is an estimate. What a recording takes is known of those that were stored; another one counts as much as their
mean. What the PBX holds besides our recordings nobody tells us.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

_DAY: Final = timedelta(days=1)
_FARTHEST: Final = timedelta(days=365)
_SAME: Final = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class Held:
    """Recordings that the PBX holds: the bytes of those whose size is known, and how many others there are."""

    known_bytes: int
    unknown: int


@dataclass(frozen=True, slots=True)
class Space:
    """What an account's PBX can hold (`bytes`), what came within the last day, and how large a recording is.

    `mean_bytes` is None as long as none of the account was stored.
    """

    bytes: int
    last_day: Held
    mean_bytes: float | None


@dataclass(frozen=True, slots=True)
class Waiting:
    """A recording that is not stored: `held` is what it and all newer ones take; `estimate` what was said of it."""

    recording_id: str
    held: Held
    estimate: datetime | None


def lasts(space: Space) -> timedelta | None:
    """Return for how long the PBX keeps a recording if every day is like the last; None where that cannot be told."""
    a_day = _bytes(space, space.last_day)
    return _days(space.bytes / a_day) if a_day else None


def pushed_out_at(space: Space, held: Held, now: datetime) -> datetime | None:
    """Return when it is pushed out if every day is like the last, `now` if it probably is; None: not within a year.

    While no size is known nothing can be promised: everything counts as pushed out.
    """
    taken, a_day = _bytes(space, held), _bytes(space, space.last_day)
    if taken is None or a_day is None or taken > space.bytes:
        return now
    if not a_day:
        return None
    left = _days((space.bytes - taken) / a_day)
    return None if left == _FARTHEST else now + left


def estimates(space: Space, waiting: Sequence[Waiting], now: datetime) -> list[tuple[str, datetime | None]]:
    """Return what is to be said anew, by recording: estimates that moved by ten minutes or less stay as they are."""
    fresh = ((one, pushed_out_at(space, one.held, now)) for one in waiting)
    return [(one.recording_id, at) for one, at in fresh if not _same(one.estimate, at)]


def _bytes(space: Space, held: Held) -> float | None:
    if held.unknown and space.mean_bytes is None:
        return None
    return held.known_bytes + held.unknown * (space.mean_bytes or 0)


def _days(count: float) -> timedelta:
    return min(count, _FARTHEST / _DAY) * _DAY


def _same(before: datetime | None, after: datetime | None) -> bool:
    if before is None or after is None:
        return before is after
    return abs(after - before) <= _SAME
