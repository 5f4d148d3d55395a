"""Tenants and their numbers: where they live, and why a change of them may be refused."""

from collections.abc import Mapping
from typing import Any, Protocol

from order_binder.domain.numbers import Leaving, NumberRole, NumberState
from order_binder.domain.values import Value


class NumberEntry(Value, frozen=True):
    """One number of the inventory, `revision` being that of its last change."""

    e164: str
    tenant: str
    role: NumberRole
    state: NumberState
    asks_code: bool
    city: str | None
    default_route: str | None
    revision: int = 0


class LeavingNumber(Value, frozen=True):
    """A number on its way out of the inventory."""

    e164: str
    tenant: str
    how: Leaving


class TenantEntry(Value, frozen=True):
    """One tenant; `policy` is its whole policy document, of which order-binder itself uses a part."""

    tenant: str
    region: str
    policy: Mapping[str, Any]
    staff: tuple[str, ...]
    revision: int = 0


class NumberHeldElsewhere(Exception):
    """The number belongs to another tenant."""


class NumberIsAPhone(Exception):
    """The number is a party's phone in a binding that has not ended."""


class NumberInUse(Exception):
    """Bindings that have not ended use the number."""


class NumberCooling(Exception):
    """Another tenant had the number, and its people may still dial it."""


class NoOtherNumber(Exception):
    """The tenant has no other main number, which every binding could move to."""


class Registry(Protocol):
    """Where tenants and their numbers live."""

    async def put_tenant(self, entry: TenantEntry) -> TenantEntry:
        """Create or replace a tenant and return it with its new revision."""

    async def tenant(self, tenant: str) -> TenantEntry | None:
        """Return a tenant."""

    async def put_number(self, entry: NumberEntry) -> NumberEntry:
        """Create or replace a number; one that is leaving stays after all.

        Raises NumberHeldElsewhere, NumberIsAPhone, NumberCooling, and NumberInUse for another role while bindings use
        it.
        """

    async def number(self, tenant: str, e164: str) -> NumberEntry | None:
        """Return a number of a tenant."""

    async def numbers(self, tenant: str) -> list[NumberEntry]:
        """Return the numbers of a tenant, by E.164."""

    async def withdraw_number(self, tenant: str, e164: str) -> bool:
        """Take a number out of the inventory, False where there is none. Raises NumberInUse."""

    async def leave_number(self, tenant: str, e164: str, how: Leaving) -> NumberEntry | None:
        """Note that a number is to be withdrawn and return it, now draining; None where there is none."""
