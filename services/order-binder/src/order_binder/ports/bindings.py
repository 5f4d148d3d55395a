"""Orders, slots and codes: what one piece of work reads of them, and what it writes."""

from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from datetime import datetime
from typing import Protocol

from order_binder.domain.codes import CodeHold
from order_binder.domain.numbers import Inventory
from order_binder.domain.orders import Order, OrderKey
from order_binder.domain.policy import Policy
from order_binder.domain.slots import Slot, SlotKey
from order_binder.domain.states import BindingState
from order_binder.domain.values import Value
from order_binder.ports.progress import InputProgress
from order_binder.ports.registry import LeavingNumber


class LostRace(Exception):
    """Somebody else changed the same rows first; the whole unit may be tried anew, without these `codes`.

    Codes are (tenant, code).
    """

    def __init__(self, codes: frozenset[tuple[str, str]] = frozenset()) -> None:
        super().__init__("somebody else was faster")
        self.codes = codes


class TenantView(Value, frozen=True):
    """A tenant as decisions see it."""

    policy: Policy
    inventory: Inventory


class Locked(Value, frozen=True):
    """Orders as they stood when their rows were locked, and the database's time just after that."""

    orders: Mapping[OrderKey, Order]
    now: datetime


class Seen(Value, frozen=True):
    """What a batch is decided on, as of `now` by the database's clock: those of its tenants and orders that exist.

    `proxies` are those of the phones asked about that are proxy numbers of any tenant.
    """

    tenants: Mapping[str, TenantView]
    orders: Mapping[OrderKey, Order]
    now: datetime
    proxies: frozenset[str]


class Change(Value, frozen=True):
    """An order to be written: its state now, when to look at it again, and whether its binding is to be published."""

    order: Order
    state: BindingState
    next_change_at: datetime | None
    publish: bool


class Wanted(Value, frozen=True):
    """What an allocation has to know: every slot of `phones`, the slots `kept`, which of the `drawn` codes are free.

    `drawn` holds codes by tenant.
    """

    phones: Collection[str]
    kept: Collection[SlotKey]
    drawn: Mapping[str, Sequence[str]]


class Held(Value, frozen=True):
    """Slots as they stand, and by tenant those of the drawn codes that nobody has."""

    slots: Sequence[Slot]
    free_codes: Mapping[str, Sequence[str]]


class Batch(Value, frozen=True):
    """All that a unit writes."""

    changes: Sequence[Change]
    slots: Sequence[Slot] = ()
    codes: Sequence[CodeHold] = ()
    progress: Sequence[InputProgress] = ()


class BindingUnit(Protocol):
    """One piece of work on orders, slots and codes: a transaction, or an attempt that locks nothing."""

    async def tenants(self, names: Collection[str]) -> Mapping[str, TenantView]:
        """Return those of `names` that exist."""

    async def look(
        self, keys: Collection[OrderKey], phones: Callable[[Mapping[str, TenantView]], Collection[str]]
    ) -> Seen:
        """Return these orders with their tenants, locking nothing, and those of `phones` that are proxy numbers.

        `phones` is given the tenants, and may be asked again where one of them has changed.
        """

    async def lock_due(self, limit: int) -> Locked:
        """Lock up to `limit` orders that the sweeper has to look at, leaving out those that others have locked."""

    async def held(self, wanted: Wanted) -> Held:
        """Return what stands of the slots and codes that an allocation may touch."""

    def loads(self) -> Counter[str]:
        """Return about how many bindings use each number; whoever lends one counts it up."""

    def live_codes(self, tenant: str) -> int:
        """Return about how many codes of a tenant are live or cooling."""

    async def save(self, batch: Batch) -> None:
        """Write all, provided that each order and slot still is as it was read and each code still is to be had.

        Raises LostRace where somebody was faster, or the orders were looked at long ago: nothing is written then, and
        the unit must be given up.
        """

    async def note_input(self, progress: Collection[InputProgress]) -> None:
        """Write how far the input is processed; it never goes back, nor ahead of the database's clock."""

    async def expect_input(self, partitions: int, since: datetime) -> None:
        """Note how many partitions the input has; new ones are processed up to `since`, others are forgotten."""

    async def leaving_numbers(self) -> list[LeavingNumber]:
        """Return the numbers that are to be withdrawn as soon as nothing uses them, and those that just were.

        A batch that began before may have lent one of the latter all the same: what it bound is to move.
        """

    async def lock_users(self, e164: str, *, after: OrderKey | None, limit: int) -> Locked:
        """Lock up to `limit` orders, with keys above `after`, whose bindings use a number and have not ended."""

    async def withdraw_unused(self, e164: str) -> bool:
        """Withdraw a leaving number unless a binding that has not ended uses it; return whether this made it go.

        One that is withdrawn counts as leaving until nobody can have lent it unseen.
        """

    async def purge(self, limit: int) -> int:
        """Delete up to `limit` stubs, slots and codes whose time has passed; return how many rows."""


class BindingStore(Protocol):
    """Where orders, slots and codes live."""

    def transaction(self) -> AbstractAsyncContextManager[BindingUnit]:
        """Open a transaction that commits when its block ends and undoes everything when the block raises."""

    def optimistic(self) -> AbstractAsyncContextManager[BindingUnit]:
        """Open a unit without a transaction: nothing that it reads is locked, and what `save` writes is written."""
