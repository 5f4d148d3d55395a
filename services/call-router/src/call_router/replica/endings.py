"""Which rows end when, to the minute: not a heap of a million pairs, but a short one of minutes, with arrays."""

import heapq
import math
from array import array

_SECONDS = 60


class Endings:
    """Rows by the minute in which they end. Times are seconds since 1970."""

    def __init__(self) -> None:
        self._rows: dict[int, array[int]] = {}
        self._minutes: list[int] = []

    def add(self, ends_at: float, row: int) -> None:
        """Note that `row` ends then; one that is added again ends twice."""
        minute = math.ceil(ends_at / _SECONDS)
        rows = self._rows.get(minute)
        if rows is None:
            rows = self._rows[minute] = array("Q")
            heapq.heappush(self._minutes, minute)
        rows.append(row)

    def take(self, now: float) -> int | None:
        """Take out and return a row that has ended by `now`, up to a minute late; None where none has."""
        if not self._minutes or self._minutes[0] * _SECONDS > now:
            return None
        rows = self._rows[self._minutes[0]]
        row = rows.pop()
        if not rows:
            del self._rows[heapq.heappop(self._minutes)]
        return row
