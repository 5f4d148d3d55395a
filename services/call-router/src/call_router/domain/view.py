"""The data a decision may use. call-router's replica and its memory of recent calls implement it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from call_router.domain.bindings import Binding, Role
from call_router.domain.calls import Attempt
from call_router.domain.inventory import ProxyNumber, Tenant
from call_router.domain.phone_reader import PhoneReader


class Inventory(Protocol):
    """Tenants and their numbers."""

    def number(self, e164: str) -> ProxyNumber | None:
        """Return one of our numbers, None for a number that is not ours."""
        ...

    def tenant(self, name: str) -> Tenant | None:
        """Return a tenant, None while its record has not come."""
        ...

    def main_number(self, tenant: str) -> str | None:
        """Return a main number of the tenant, E.164."""
        ...


class Bindings(Protocol):
    """Bindings by whatever a call tells; ended ones may be among them."""

    def get(self, tenant: str, order_id: str) -> Binding | None:
        """Return the binding of one order."""
        ...

    def of_phone(self, tenant: str, phone: str) -> Sequence[Binding]:
        """Return the tenant's bindings in which `phone` (E.164) is a party's."""
        ...

    def of_code(self, tenant: str, code: str) -> Sequence[Binding]:
        """Return the tenant's bindings one of whose codes is `code`."""
        ...

    def naming(self, e164: str, now: datetime) -> str | None:
        """Return the tenant of a live binding that names a number which the inventory lacks."""
        ...


class Codes(Protocol):
    """How long codes are at present: a tenant whose codes run short gets longer ones."""

    def longest(self, tenant: str, now: datetime) -> int:
        """Return the number of digits of the tenant's longest code that may still be typed, 0 if there is none."""
        ...


class RecentCalls(Protocol):
    """What happened lately: attempts between people, dials and wrong codes that count towards limits."""

    def latest_attempt(self, tenant: str, from_person: str, to_person: str) -> Attempt | None:
        """Return the latest attempt of one person to reach another."""
        ...

    def dials(self, tenant: str, order_id: str, caller: str | None, since: datetime) -> int:
        """Return how many dials of this caller for this order count since then."""
        ...

    def wrong_codes_of(self, tenant: str, caller: str, since: datetime) -> int:
        """Return how many wrong codes this caller typed since then."""
        ...

    def wrong_codes_at(self, number: str, since: datetime) -> int:
        """Return how many wrong codes unknown and withheld callers typed on this number since then."""
        ...

    def last_phone(self, tenant: str, order_id: str, role: Role) -> str | None:
        """Return the phone that this side of the order last called from."""
        ...


@dataclass(frozen=True, slots=True)
class View:
    """Everything that `route` may look at."""

    inventory: Inventory
    bindings: Bindings
    recent: RecentCalls
    codes: Codes
    phones: PhoneReader
