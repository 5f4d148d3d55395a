"""Follow the input: write down how far each partition of the order topic is processed, by whichever process."""

from collections.abc import Collection
from datetime import UTC, datetime

from order_binder.ports.bindings import BindingStore
from order_binder.ports.progress import InputProgress

NEVER = datetime(2000, 1, 1, tzinfo=UTC)
"""The time of a partition that nobody has ever heard of."""


class FollowInput:
    """Keeps the record of the input, from which everybody learns the oldest event not yet processed."""

    def __init__(self, store: BindingStore) -> None:
        self._store = store

    async def note(self, progress: Collection[InputProgress]) -> None:
        """Write how far partitions are processed."""
        async with self._store.transaction() as unit:
            await unit.note_input(progress)

    async def expect(self, partitions: int, since: datetime = NEVER) -> None:
        """Note that the input has so many partitions.

        One without a record counts as unprocessed from `since` on: until somebody processes it, it shows as a lag.
        """
        async with self._store.transaction() as unit:
            await unit.expect_input(partitions, since)
