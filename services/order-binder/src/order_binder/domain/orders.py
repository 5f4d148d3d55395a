"""Values: what a snapshot says of an order, and what order-binder keeps of it."""

import enum
from datetime import datetime

from order_binder.domain.policy import CallTerms
from order_binder.domain.values import Value
from order_binder.domain.windows import Directions


class OrderStatus(enum.StrEnum):
    """Where an order stands, in the platform's words."""

    CREATED = "created"
    SEARCHING = "searching"
    ACCEPTED = "accepted"
    ARRIVED = "arrived"
    IN_PROGRESS = "in_progress"
    COMPLETED = "completed"
    CANCELLED = "cancelled"


LIVE = frozenset({OrderStatus.ACCEPTED, OrderStatus.ARRIVED, OrderStatus.IN_PROGRESS})
OVER = frozenset({OrderStatus.COMPLETED, OrderStatus.CANCELLED})
CALLABLE = LIVE | {OrderStatus.COMPLETED}
"""With a driver, an order of such a status may be called about, completed ones for a while."""


class Role(enum.StrEnum):
    """A party's side of an order."""

    DRIVER = "driver"
    CLIENT = "client"


class Unroutable(enum.StrEnum):
    """Why an order that should be callable is not."""

    CLIENT_WITHOUT_PHONE = "client_without_phone"
    DRIVER_WITHOUT_PHONE = "driver_without_phone"
    SAME_PHONE = "same_phone"
    NO_NUMBER = "no_number"


class Person(Value, frozen=True):
    """A party: usable E.164 phones in ring order, which may be none."""

    role: Role
    phones: tuple[str, ...]
    id: str | None = None
    label: str | None = None

    @property
    def key(self) -> str:
        """Say who this is: the id, else the first phone. Slots and codes belong to this key."""
        if self.id:
            return self.role + ":id:" + self.id
        return self.role + ":tel:" + (self.phones[0] if self.phones else "")


class OrderKey(Value, frozen=True, order=True):
    """Which order: ids are unique within a tenant."""

    tenant: str
    order_id: str

    def __str__(self) -> str:
        return f"{self.tenant}/{self.order_id}"


class Snapshot(Value, frozen=True):
    """One whole state of an order, phones already normalised.

    `driver=None` names no driver. `caused_at` is Kafka's time of the event, `traceparent` the W3C trace it belongs to.
    """

    key: OrderKey
    version: int
    status: OrderStatus
    status_changed_at: datetime
    client: Person
    caused_at: datetime
    driver: Person | None = None
    scheduled_for: datetime | None = None
    consent_record: bool = True
    driver_may_call: bool = True
    client_may_call: bool = True
    city: str | None = None
    traceparent: str | None = None


class Terms(Value, frozen=True):
    """What a binding says apart from its number and codes."""

    driver: Person
    client: Person
    directions: Directions
    call: CallTerms

    def person(self, role: Role) -> Person:
        """Return the party of that side."""
        return self.driver if role is Role.DRIVER else self.client

    def peer(self, role: Role) -> Person:
        """Return whom that side reaches."""
        return self.client if role is Role.DRIVER else self.driver

    @property
    def phones(self) -> tuple[str, ...]:
        """Return the phones of both sides."""
        return self.driver.phones + self.client.phones


class Allocation(Value, frozen=True):
    """The number and codes that a binding uses; the keys say for which persons the codes were drawn."""

    number: str
    driver_code: str
    client_code: str
    driver_key: str
    client_key: str


class Order(Value, frozen=True):
    """What order-binder knows of one order. It has a binding when it has both terms and an allocation.

    `revision` numbers its states. Terms stay when the windows have closed: they tell who was bound last.
    """

    key: OrderKey
    version: int
    status: OrderStatus
    status_changed_at: datetime
    caused_at: datetime
    revision: int = 0
    terms: Terms | None = None
    allocation: Allocation | None = None
    unroutable: Unroutable | None = None
    city: str | None = None
    traceparent: str | None = None
    updated_at: datetime | None = None

    @property
    def bound(self) -> bool:
        """Whether there is a binding, ended or not."""
        return self.terms is not None and self.allocation is not None

    def ended(self, now: datetime) -> bool:
        """Whether nobody can call through this order any more (or yet)."""
        return self.terms is None or self.terms.directions.ended(now)
