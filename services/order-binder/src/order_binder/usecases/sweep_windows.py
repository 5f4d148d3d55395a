"""Sweep: bring the state of orders up to date after time alone has changed it, and clear away what is over."""

from datetime import datetime

from order_binder.domain.orders import Order
from order_binder.domain.revision import next_revision
from order_binder.domain.states import TOMBSTONE_AFTER, next_change, state_at
from order_binder.domain.values import Value, replace
from order_binder.ports.bindings import Batch, BindingStore, Change


class SweepReport(Value, frozen=True):
    """How many orders changed their state, and how many rows were deleted."""

    changed: int
    purged: int


class SweepWindows:
    """Follows the clock for the readers' eyes; routing itself needs no sweep."""

    def __init__(self, store: BindingStore, *, batch: int = 500) -> None:
        self._store = store
        self._batch = batch

    async def __call__(self) -> SweepReport:
        """Work through everything that is due, one transaction a batch; safe to run in several processes at once."""
        changed = 0
        while True:
            count = await self._sweep_batch()
            changed += count
            if count < self._batch:
                break
        purged, count = 0, self._batch
        while count >= self._batch:
            async with self._store.transaction() as unit:
                count = await unit.purge(self._batch)
            purged += count
        return SweepReport(changed, purged)

    async def _sweep_batch(self) -> int:
        async with self._store.transaction() as unit:
            due = await unit.lock_due(self._batch)
            changes = [_swept(order, due.now) for order in due.orders.values()]
            await unit.save(Batch(changes))
            return len(changes)


def _swept(order: Order, now: datetime) -> Change:
    """Return the order in its state of now; a day after it ended its binding goes, and a tombstone is published."""
    revised = replace(order, revision=next_revision(order.revision, now), updated_at=now)
    if order.terms is not None and now >= order.terms.directions.last_closes + TOMBSTONE_AFTER:
        revised = replace(revised, terms=None, allocation=None, unroutable=None)
    return Change(
        order=revised, state=state_at(revised, now), next_change_at=next_change(revised, now), publish=order.bound
    )
