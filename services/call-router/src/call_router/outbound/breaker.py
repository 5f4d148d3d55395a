"""A circuit breaker: after some failures in a row nobody asks for a while, then one tries."""

from collections.abc import Callable
from datetime import timedelta


class Breaker:
    """Closed while things work. `monotonic` gives seconds."""

    def __init__(self, failures: int, rest: timedelta, monotonic: Callable[[], float]) -> None:
        """Rest for `rest` after `failures` in a row."""
        self._most = failures
        self._rest = rest.total_seconds()
        self._monotonic = monotonic
        self._failures = 0
        self._open_until = 0.0

    def allows(self) -> bool:
        """Whether to try now. After a rest one trial is let through, and the rest begins anew until it worked."""
        if self._failures < self._most:
            return True
        now = self._monotonic()
        if now < self._open_until:
            return False
        self._open_until = now + self._rest
        return True

    def worked(self) -> None:
        """Note a success."""
        self._failures = 0

    def failed(self) -> None:
        """Note a failure."""
        self._failures += 1
        if self._failures == self._most:
            self._open_until = self._monotonic() + self._rest
