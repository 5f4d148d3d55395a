"""How long to wait before trying again."""

import random
from datetime import timedelta


class Backoff:
    """Delays that double from `first` to `last`, each spread by jitter over its upper half."""

    def __init__(self, first: timedelta, last: timedelta) -> None:
        self._first = first.total_seconds()
        self._last = last.total_seconds()
        self._attempts = 0

    def next(self) -> float:
        """Return the seconds to wait now; the next call returns more, up to `last`."""
        ceiling = min(self._last, self._first * 2.0 ** min(self._attempts, 32))
        self._attempts += 1
        return ceiling * random.uniform(0.5, 1.0)  # noqa: S311 - spreads retries, guards nothing

    def reset(self) -> None:
        """Start again from `first`: the last attempt worked."""
        self._attempts = 0
