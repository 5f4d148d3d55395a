"""Waking the publishers of bindings that somebody has written."""

from collections.abc import Callable

from fareline_chassis.postgres.listener import Hear


def wake_partitions(wake: Callable[[int | None], None], partitions: int) -> Hear:
    """Return a hearer that wakes the partitions of the bindings written, or all (None).

    A notification names the hashes of their keys, between blanks; any other text, as of another release, may mean any.
    """

    def hear(said: str) -> None:
        hashes = said.split()
        if not hashes or not all(each.isdecimal() for each in hashes):
            wake(None)
            return
        for partition in {int(key_hash) % partitions for key_hash in hashes}:
            wake(partition)

    return hear
