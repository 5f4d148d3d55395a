"""Allocate changed orders and write them: until nobody was faster, or not at all."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from order_binder.domain.allocation import Allocated, Allocator
from order_binder.domain.codes import CodeHold, CodesExhausted, DrawBelow, code_digits, code_holds, draw_codes
from order_binder.domain.orders import Order
from order_binder.domain.revision import next_revision
from order_binder.domain.slots import SlotBook
from order_binder.domain.states import next_change, state_at
from order_binder.ports import BindingUnit, Change, LostRace, TenantView

_ATTEMPTS = 8
_SPARE = 4
_Lost = frozenset[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Decided:
    """An order as it stood when its row was locked, and as it is to be; its revision is still the old one."""

    before: Order | None
    after: Order
    view: TenantView


@dataclass(frozen=True, slots=True)
class Written:
    """What was written for each order, and how many digits codes have where the policy's were too few."""

    allocated: Sequence[Allocated]
    longer_codes: Mapping[str, int]


class AllocateOrders:
    """Chooses numbers and codes, and saves. `below` is the source of random numbers."""

    def __init__(self, below: DrawBelow) -> None:
        self._below = below

    async def __call__(self, unit: BindingUnit, decided: Sequence[Decided], now: datetime) -> Written:
        """Give each order what it needs and write it; whoever loses a slot or a code chooses another one.

        Raises LostRace when others kept winning: the whole transaction may be tried anew.
        """
        lost: _Lost = frozenset()
        for _ in range(_ATTEMPTS):
            digits = await _digits(unit, decided)
            allocator, book = await self._allocator(unit, decided, now, lost=lost, digits=digits)
            try:
                allocated = [
                    allocator.allocate(it.before, it.after, it.view.policy, it.view.inventory) for it in decided
                ]
            except CodesExhausted:
                continue
            changes = [_change(found.order, now) for found in allocated]
            saved = await unit.save(changes, book.changed(), _codes(decided, changes, now))
            if saved.done:
                return Written(allocated, _longer(decided, digits))
            lost |= saved.lost_codes
        raise LostRace

    async def _allocator(
        self, unit: BindingUnit, decided: Sequence[Decided], now: datetime, *, lost: _Lost, digits: Mapping[str, int]
    ) -> tuple[Allocator, SlotBook]:
        orders = [order for it in decided for order in (it.before, it.after) if order is not None]
        phones = {phone for order in orders if order.terms is not None for phone in order.terms.phones}
        numbers = {number.e164 for it in decided for number in it.view.inventory.numbers}
        book = SlotBook(await unit.slots_of(phones), now)
        codes = await self._free_codes(unit, decided, now, lost=lost, digits=digits)
        loads = await unit.loads(numbers)
        allocator = Allocator(book, now=now, loads=loads, free_codes=codes, lost_codes=lost, below=self._below)
        return allocator, book

    async def _free_codes(
        self, unit: BindingUnit, decided: Sequence[Decided], now: datetime, *, lost: _Lost, digits: Mapping[str, int]
    ) -> Mapping[str, Sequence[str]]:
        wanted = Counter(tenant for tenant, _ in lost)
        for it in decided:
            wanted[it.after.key.tenant] += _codes_wanted(it.after, now)
        found: dict[str, Sequence[str]] = {}
        for tenant, count in wanted.items():
            if count:
                drawn = draw_codes(count + count // 8 + _SPARE, digits[tenant], self._below)
                found[tenant] = await unit.free_codes(tenant, drawn)
        return found


async def _digits(unit: BindingUnit, decided: Sequence[Decided]) -> dict[str, int]:
    policies = {it.after.key.tenant: it.view.policy for it in decided}
    return {
        tenant: code_digits(policy.code_digits, await unit.live_codes(tenant)) for tenant, policy in policies.items()
    }


def _longer(decided: Sequence[Decided], digits: Mapping[str, int]) -> dict[str, int]:
    wanted = {it.after.key.tenant: it.view.policy.code_digits for it in decided}
    return {tenant: count for tenant, count in digits.items() if count > wanted[tenant]}


def _codes_wanted(order: Order, now: datetime) -> int:
    """Return how many codes an order has to be given: one for each person who has none of his own yet."""
    if order.terms is None or order.ended(now):
        return 0
    had = order.allocation
    keys = (had.driver_key, had.client_key) if had else (None, None)
    return (order.terms.driver.key != keys[0]) + (order.terms.client.key != keys[1])


def _change(order: Order, now: datetime) -> Change:
    revised = replace(order, revision=next_revision(order.revision, now), updated_at=now)
    return Change(
        order=revised, state=state_at(revised, now), next_change_at=next_change(revised, now), publish=revised.bound
    )


def _codes(decided: Sequence[Decided], changes: Sequence[Change], now: datetime) -> list[CodeHold]:
    return [
        hold
        for it, change in zip(decided, changes, strict=True)
        for hold in code_holds(it.before, change.order, now, it.view.policy.windows.cool_down)
    ]
