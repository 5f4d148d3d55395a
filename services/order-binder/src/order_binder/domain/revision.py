"""Revisions: numbers that only grow, for one order, number or tenant."""

from datetime import UTC, datetime, timedelta

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def next_revision(previous: int, now: datetime) -> int:
    """Return a revision above `previous`: the microseconds since 1970, so that it grows even over a deleted row."""
    return max(previous + 1, (now - _EPOCH) // timedelta(microseconds=1))
