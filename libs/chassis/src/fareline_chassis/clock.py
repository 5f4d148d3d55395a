"""Time as an argument: whoever needs it is handed one of these."""

from collections.abc import Callable
from datetime import UTC, datetime

Clock = Callable[[], datetime]
"""Returns the time of day, with a zone."""

Monotonic = Callable[[], float]
"""Returns seconds that only grow, such as `time.monotonic`: for waiting and for leases."""


def utc_now() -> datetime:
    """Return the current time, with the UTC zone."""
    return datetime.now(UTC)
