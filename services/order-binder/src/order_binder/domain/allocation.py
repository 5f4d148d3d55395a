"""Allocation: which number an order's binding uses, which slots that takes, and which codes it has."""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime

from order_binder.domain.codes import CodesExhausted, DrawBelow
from order_binder.domain.numbers import Inventory
from order_binder.domain.orders import Allocation, Order, Role, Terms, Unroutable
from order_binder.domain.policy import Numbering, Policy
from order_binder.domain.slots import Fit, Hold, SlotBook, SlotWish
from order_binder.domain.values import Value, replace
from order_binder.domain.windows import Window

_CHOICE_OF = 3


class Allocated(Value, frozen=True):
    """An order after allocation; `pool_dry` says that it wanted a pool number and none could be had."""

    order: Order
    pool_dry: bool = False


class _Choice(Value, frozen=True):
    number: str | None
    lent: bool
    pool_dry: bool = False


class Allocator:
    """Allocates the orders of one batch, one after the other; each sees what the ones before it took.

    `loads` says how many bindings use each number, and is counted up with each that is lent. `free_codes` are drawn
    codes of each tenant that nobody has, enough for the batch. `lost_codes` are (tenant, code) pairs that somebody else
    has by now: they are not kept.
    """

    def __init__(
        self,
        slots: SlotBook,
        *,
        now: datetime,
        loads: Counter[str],
        free_codes: Mapping[str, Iterable[str]],
        lost_codes: Collection[tuple[str, str]] = (),
        below: DrawBelow,
    ) -> None:
        self._slots = slots
        self._now = now
        self._loads = loads
        self._free_codes = {tenant: iter(codes) for tenant, codes in free_codes.items()}
        self._taken_codes = set(lost_codes)
        self._below = below

    def allocate(self, before: Order | None, after: Order, policy: Policy, inventory: Inventory) -> Allocated:
        """Give `after` its number and codes, and let go what `before` had and `after` needs no more.

        An order whose windows have all closed keeps its number and codes for the record; its slots rest.
        Raises CodesExhausted when `free_codes` were too few.
        """
        if after.terms is None:
            return Allocated(after)
        if after.ended(self._now):
            self._rest(before, None, (), policy)
            return Allocated(after)
        wishes = slot_wishes(after.terms, policy)
        choice = self._number(after, wishes, policy, inventory)
        claims = wishes if choice.lent else []
        self._rest(before, choice.number, [wish.phone for wish in claims], policy)
        if choice.number is None:
            return Allocated(_without_number(after, self._now), choice.pool_dry)
        for wish in claims:
            self._slots.claim(choice.number, wish, str(after.key))
        if after.allocation is None or after.allocation.number != choice.number:
            self._loads[choice.number] += 1
        allocation = self._allocation(after, after.terms, choice.number)
        return Allocated(replace(after, allocation=allocation), choice.pool_dry)

    def _number(self, order: Order, wishes: list[SlotWish], policy: Policy, inventory: Inventory) -> _Choice:
        current = order.allocation.number if order.allocation else None
        if inventory.numbering(policy.numbering) is Numbering.MAIN:
            return _Choice(inventory.main(order.city, keeping=current), lent=False)
        holder = str(order.key)
        if (
            current is not None
            and inventory.lends(current, order.city)
            and Fit.TAKEN not in self._fits(current, wishes, holder)
        ):
            return _Choice(current, lent=True)
        number = self._best(inventory.lendable(order.city), wishes, holder)
        if number is None:
            return _Choice(inventory.main(order.city, keeping=current), lent=False, pool_dry=True)
        return _Choice(number, lent=True)

    def _fits(self, number: str, wishes: list[SlotWish], holder: str) -> set[Fit]:
        return {self._slots.fit(number, wish, holder) for wish in wishes}

    def _best(self, lendable: Sequence[str], wishes: list[SlotWish], holder: str) -> str | None:
        """Return the number that fits best: one that means the pair already, else one little used."""
        busy = self._slots.numbers_of(wish.phone for wish in wishes)
        fits = {number: self._fits(number, wishes, holder) for number in lendable if number in busy}
        claimable = {number: fit for number, fit in fits.items() if Fit.TAKEN not in fit}
        paired = [number for number, fit in claimable.items() if fit == {Fit.SAME}]
        unwished = [number for number in lendable if number not in busy]
        unwished += [number for number, fit in claimable.items() if Fit.WISHED not in fit]
        choice = sorted(paired or unwished or claimable, key=self._loads.__getitem__)
        nearest = choice[:_CHOICE_OF]
        return nearest[self._below(len(nearest))] if nearest else None

    def _rest(self, before: Order | None, number: str | None, claimed: Collection[str], policy: Policy) -> None:
        """Start the cool-down of the slots that the order held and does not hold any more.

        Those of an order that had ended before are resting already, as its policy was then.
        """
        if before is None or before.terms is None or before.allocation is None or before.ended(self._now):
            return
        until = self._now + policy.windows.cool_down
        for phone in before.terms.phones:
            if before.allocation.number != number or phone not in claimed:
                self._slots.release(before.allocation.number, phone, str(before.key), until)

    def _allocation(self, order: Order, terms: Terms, number: str) -> Allocation:
        had = order.allocation
        driver_code = had.driver_code if had and had.driver_key == terms.driver.key else None
        client_code = had.client_code if had and had.client_key == terms.client.key else None
        return Allocation(
            number=number,
            driver_code=self._code(order.key.tenant, driver_code),
            client_code=self._code(order.key.tenant, client_code),
            driver_key=terms.driver.key,
            client_key=terms.client.key,
        )

    def _code(self, tenant: str, kept: str | None) -> str:
        """Return the code kept, unless it is somebody else's by now, or else a free one; each is given once a batch."""
        taken = self._taken_codes
        code = kept
        while code is None or (tenant, code) in taken:
            code = next(self._free_codes.get(tenant, iter(())), None)
            if code is None:
                raise CodesExhausted(tenant)
        taken.add((tenant, code))
        return code


def slot_wishes(terms: Terms, policy: Policy) -> list[SlotWish]:
    """Return the slots that a binding on a pool number needs: one for every phone of both parties.

    A slot is held until that phone's own direction closes, plus the cool-down. While the other side may still call,
    the driver's slot should stay too, so that his calling back reaches the same client.
    """
    rest = policy.windows.cool_down
    directions = terms.directions
    last = directions.last_closes + rest

    def wishes(role: Role, own: Window) -> list[SlotWish]:
        hold = Hold(until=own.closes_at + rest, wished=last)
        return [SlotWish(phone, terms.peer(role).key, hold) for phone in terms.person(role).phones]

    return wishes(Role.DRIVER, directions.driver_to_client) + wishes(Role.CLIENT, directions.client_to_driver)


def _without_number(order: Order, now: datetime) -> Order:
    """Return an order that cannot be called: its tenant has no number for it, not even a main one."""
    if order.terms is None:
        return order
    closed = replace(order.terms, directions=order.terms.directions.closed_at(now))
    return replace(order, terms=closed, unroutable=Unroutable.NO_NUMBER)
