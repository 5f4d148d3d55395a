"""Vacate numbers: give the bindings of a number that is leaving another one, and withdraw it when nothing uses it."""

from collections.abc import Collection
from functools import partial

from order_binder.domain.codes import DrawBelow
from order_binder.domain.numbers import Leaving
from order_binder.domain.orders import OrderKey
from order_binder.domain.values import Value, replace
from order_binder.ports.bindings import BindingStore, BindingUnit
from order_binder.ports.registry import LeavingNumber
from order_binder.usecases.allocate_orders import AllocateOrders, Attempt, Decided, until_won


class VacateReport(Value, frozen=True):
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
            moved, locked = await until_won(self._store.transaction, partial(self._move_page, number, after))
            report += moved
            full = len(locked) == self._batch
            after = max(locked, default=after)
        return report

    async def _move_page(
        self, number: LeavingNumber, after: OrderKey | None, unit: BindingUnit, attempt: Attempt
    ) -> tuple[VacateReport, Collection[OrderKey]]:
        """Move the bindings that come after `after`; return what came of it and which orders were looked at."""
        locked = await unit.lock_users(number.e164, after=after, limit=self._batch)
        live = [order for _, order in sorted(locked.orders.items()) if not order.ended(locked.now)]
        if not live:
            return VacateReport(), locked.orders
        view = (await unit.tenants([number.tenant]))[number.tenant]
        view = replace(view, inventory=view.inventory.without(number.e164))
        if not view.inventory.serves_all:
            return VacateReport(stuck=len(locked.orders)), locked.orders
        await self._allocate(unit, [Decided(order, order, view) for order in live], locked.now, attempt)
        return VacateReport(moved=len(live)), locked.orders
