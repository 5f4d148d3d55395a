"""Vacate numbers: give the bindings of a number that is leaving another one, and withdraw it when nothing uses it."""

from dataclasses import dataclass, replace

from order_binder.domain.codes import DrawBelow
from order_binder.domain.numbers import Leaving
from order_binder.ports import BindingStore, BindingUnit, LeavingNumber, Locked
from order_binder.usecases.allocate_orders import AllocateOrders, Decided


@dataclass(frozen=True, slots=True)
class VacateReport:
    """How many bindings have another number now, how many found none, and how many numbers are withdrawn."""

    moved: int = 0
    stuck: int = 0
    withdrawn: int = 0

    def __add__(self, other: "VacateReport") -> "VacateReport":
        return VacateReport(self.moved + other.moved, self.stuck + other.stuck, self.withdrawn + other.withdrawn)


class VacateNumbers:
    """Brings to an end what a withdrawal began; safe to run in several processes at once, and to be cut off."""

    def __init__(self, store: BindingStore, below: DrawBelow, *, batch: int = 200) -> None:
        """`below` is the source of random numbers."""
        self._store = store
        self._allocate = AllocateOrders(below)
        self._batch = batch

    async def __call__(self, only: str | None = None) -> VacateReport:
        """Work through all leaving numbers, or `only` one, one transaction a batch. Raises LostRace."""
        async with self._store.transaction() as unit:
            leaving = [number for number in await unit.leaving_numbers() if only in (None, number.e164)]
        report = VacateReport()
        for number in leaving:
            if number.how is Leaving.MOVE:
                report += await self._move_all(number)
            async with self._store.transaction() as unit:
                report += VacateReport(withdrawn=int(await unit.withdraw_unused(number.e164)))
        return report

    async def _move_all(self, number: LeavingNumber) -> VacateReport:
        report, after, full = VacateReport(), None, True
        while full:
            async with self._store.transaction() as unit:
                locked = await unit.lock_users(number.e164, after=after, limit=self._batch)
                if locked.orders:
                    report += await self._move(unit, number, locked)
            full = len(locked.orders) == self._batch
            after = max(locked.orders, default=after)
        return report

    async def _move(self, unit: BindingUnit, number: LeavingNumber, locked: Locked) -> VacateReport:
        view = (await unit.tenants([number.tenant]))[number.tenant]
        view = replace(view, inventory=view.inventory.without(number.e164))
        if not view.inventory.serves_all:
            return VacateReport(stuck=len(locked.orders))
        live = [order for _, order in sorted(locked.orders.items()) if not order.ended(locked.now)]
        await self._allocate(unit, [Decided(order, order, view) for order in live], locked.now)
        return VacateReport(moved=len(live))
