"""Allocate changed orders and write them: until nobody was faster, or not at all."""

from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from datetime import datetime
from typing import TypeVar

from order_binder.domain.allocation import Allocated, Allocator
from order_binder.domain.codes import CodeHold, CodesExhausted, DrawBelow, code_digits, code_holds, draw_codes
from order_binder.domain.orders import Order
from order_binder.domain.policy import Numbering
from order_binder.domain.revision import next_revision
from order_binder.domain.slots import SlotBook, SlotKey
from order_binder.domain.states import next_change, state_at
from order_binder.domain.values import Value, replace
from order_binder.ports.bindings import Batch, BindingUnit, Change, Held, LostRace, TenantView, Wanted
from order_binder.ports.progress import InputProgress

_ATTEMPTS = 8
_SPARE = 4
T = TypeVar("T")


class Attempt(Value, frozen=True):
    """What was learnt from attempts that lost a race: codes that others have by now. `first` says there was none."""

    first: bool = True
    lost_codes: frozenset[tuple[str, str]] = frozenset()


class Decided(Value, frozen=True):
    """An order as it stood when its row was read, and as it is to be; its revision is still the old one."""

    before: Order | None
    after: Order
    view: TenantView


class Written(Value, frozen=True):
    """What was written for each order, and how many digits codes have where the policy's were too few."""

    allocated: Sequence[Allocated]
    longer_codes: Mapping[str, int]


async def until_won(
    opened: Callable[[], AbstractAsyncContextManager[BindingUnit]], work: Callable[[BindingUnit, Attempt], Awaitable[T]]
) -> T:
    """Return what `work` returns, done in a unit newly `opened`; where somebody was faster it is done anew in another.

    Raises LostRace when others kept winning.
    """
    attempt = Attempt()
    for _ in range(_ATTEMPTS):
        try:
            async with opened() as unit:
                return await work(unit, attempt)
        except LostRace as race:
            attempt = Attempt(first=False, lost_codes=attempt.lost_codes | race.codes)
    raise LostRace(attempt.lost_codes)


class AllocateOrders:
    """Chooses numbers and codes, and saves. `below` is the source of random numbers."""

    def __init__(self, below: DrawBelow) -> None:
        self._below = below

    async def __call__(
        self,
        unit: BindingUnit,
        decided: Sequence[Decided],
        now: datetime,
        attempt: Attempt,
        progress: Sequence[InputProgress] = (),
    ) -> Written:
        """Give each order what it needs and write it, with the `progress` of the input that brought it.

        Raises LostRace where somebody was faster: the unit is then to be tried anew, see `until_won`.
        """
        digits = _digits(unit, decided)
        held = await unit.held(self._wanted(decided, now, attempt, digits))
        book = SlotBook(held.slots, now)
        allocated = self._allocated(decided, self._allocator(unit, book, held, now, attempt))
        changes = [_change(found.order, now) for found in allocated]
        await unit.save(Batch(changes, book.changed(), _codes(decided, changes, now), progress))
        return Written(allocated, _longer(decided, digits))

    def _wanted(self, decided: Sequence[Decided], now: datetime, attempt: Attempt, digits: Mapping[str, int]) -> Wanted:
        phones: set[str] = set()
        kept: set[SlotKey] = set()
        # An order whose code was lost may have been written by somebody else since, and its tenant be gone from here.
        codes = Counter(tenant for tenant, _ in attempt.lost_codes if tenant in digits)
        for it in decided:
            codes[it.after.key.tenant] += _codes_wanted(it.after, now)
            kept.update(_own_slots(it))
            if _may_need_a_number(it, now) and not (attempt.first and _settled(it, now)):
                phones.update(_phones(it.after))
        drawn = {
            tenant: draw_codes(count + count // 8 + _SPARE, digits[tenant], self._below)
            for tenant, count in codes.items()
            if count
        }
        return Wanted(phones, kept, drawn)

    def _allocator(self, unit: BindingUnit, book: SlotBook, held: Held, now: datetime, attempt: Attempt) -> Allocator:
        return Allocator(
            book,
            now=now,
            loads=unit.loads(),
            free_codes=held.free_codes,
            lost_codes=attempt.lost_codes,
            below=self._below,
        )

    def _allocated(self, decided: Sequence[Decided], allocator: Allocator) -> list[Allocated]:
        try:
            return [allocator.allocate(it.before, it.after, it.view.policy, it.view.inventory) for it in decided]
        except CodesExhausted as few:
            raise LostRace from few


def _phones(order: Order | None) -> tuple[str, ...]:
    return () if order is None or order.terms is None else order.terms.phones


def _own_slots(it: Decided) -> Iterable[SlotKey]:
    """Return the slots of an order's people on the number that it has, if any."""
    number = it.before.allocation.number if it.before and it.before.allocation else None
    return () if number is None else [(number, phone) for phone in _phones(it.before) + _phones(it.after)]


def _may_need_a_number(it: Decided, now: datetime) -> bool:
    return not it.after.ended(now) and it.view.inventory.numbering(it.view.policy.numbering) is Numbering.POOL


def _settled(it: Decided, now: datetime) -> bool:
    """Whether a binding keeps its people and its number, so that no other slots of theirs matter.

    Should another number be needed after all, the claim of it fails on what was not looked at, and the next attempt
    looks at everything.
    """
    before, after = it.before, it.after
    if before is None or before.allocation is None or before.ended(now) or _phones(before) != _phones(after):
        return False
    return it.view.inventory.lends(before.allocation.number, after.city)


def _digits(unit: BindingUnit, decided: Sequence[Decided]) -> dict[str, int]:
    policies = {it.after.key.tenant: it.view.policy for it in decided}
    return {tenant: code_digits(policy.code_digits, unit.live_codes(tenant)) for tenant, policy in policies.items()}


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
