"""When to try a download again."""

from datetime import timedelta

FIRST_LOOK_AFTER_READY = timedelta(seconds=15)
"""How long after NOTIFY_RECORD a Zadarma link can be had; earlier the answer is "file not found"."""
FIRST_LOOK_AFTER_END = timedelta(seconds=40)
"""How long after the end of a call to ask Zadarma for a recording that it has not announced."""
ATTEMPTS = 8
_FIRST, _LAST = timedelta(seconds=10), timedelta(minutes=30)


def delay_before(attempt: int, *, jitter: float, first: timedelta = _FIRST) -> timedelta:
    """Return the pause before `attempt` (2, 3, …): doubling from `first` to 30 min, the upper half spread by `jitter`.

    `jitter` is drawn by the caller from [0, 1).
    """
    doublings = min(max(attempt - 2, 0), 20)
    ceiling = min(_LAST, first * float(2**doublings))
    return ceiling * (0.5 + jitter / 2)
