"""Zadarma's times have no zone, and its clock may be off: how far an account's `call_start` can be trusted."""

import re
from collections import deque
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

_SHAPE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9]{2}:[0-9]{2}:[0-9]{2}")
_TRUSTED_WITHIN = timedelta(seconds=5)
_YEARS = range(2001, 2099)
_MEASURED = 20
_LEAST_MEASURED = 2


class AccountClock:
    """The zone of an account, and the offset of its clock as measured by calls that had just begun."""

    def __init__(self, timezone: str) -> None:
        self._zone = ZoneInfo(timezone)
        self._lags: deque[timedelta] = deque(maxlen=_MEASURED)

    def read(self, text: str) -> datetime | None:
        """Return a time `YYYY-MM-DD HH:MM:SS` in UTC, None if it is none."""
        if not _SHAPE.fullmatch(text):
            return None
        try:
            local = datetime.fromisoformat(text).replace(tzinfo=self._zone)
        except ValueError:
            return None
        return local.astimezone(UTC) if local.year in _YEARS else None

    def began(self, call_start: datetime | None, received_at: datetime) -> datetime | None:
        """Take the measure of a call that is shown as new, and return its beginning by our own clock.

        None while that cannot be trusted: measured too seldom, or clocks too far apart.
        """
        if call_start is None:
            return None
        self._lags.append(received_at - call_start)
        offset = self.offset
        return None if offset is None or abs(offset) > _TRUSTED_WITHIN else call_start + offset

    @property
    def offset(self) -> timedelta | None:
        """How far our clock is ahead of the account's, None while that was measured too seldom.

        A webhook comes late at times, and later still for a call that came back, but never early: the smallest lag of
        the last calls it is.
        """
        return min(self._lags) if len(self._lags) >= _LEAST_MEASURED else None
