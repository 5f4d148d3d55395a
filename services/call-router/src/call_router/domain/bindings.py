"""Bindings as the router knows them: who may call whom, through which number, until when."""

import enum
from datetime import datetime

from call_router.domain.values import Value

LIVE_STATUSES = frozenset({"accepted", "arrived", "in_progress"})


class Direction(enum.StrEnum):
    """Who calls whom."""

    DRIVER_TO_CLIENT = "driver_to_client"
    CLIENT_TO_DRIVER = "client_to_driver"

    @property
    def caller(self) -> "Role":
        """The side that calls."""
        return Role.DRIVER if self is Direction.DRIVER_TO_CLIENT else Role.CLIENT


class Role(enum.StrEnum):
    """A side of a binding."""

    DRIVER = "driver"
    CLIENT = "client"

    @property
    def other(self) -> "Role":
        """The side across."""
        return Role.CLIENT if self is Role.DRIVER else Role.DRIVER

    @property
    def calls(self) -> Direction:
        """The direction of a call that this side makes."""
        return Direction.DRIVER_TO_CLIENT if self is Role.DRIVER else Direction.CLIENT_TO_DRIVER


class Window(Value, frozen=True, array_like=True):
    """When one side may call the other: `[opens_at, closes_at)`, and whether it may at all."""

    opens_at: datetime
    closes_at: datetime
    allowed: bool = True

    def contains(self, moment: datetime) -> bool:
        """Whether the window is open at `moment`."""
        return self.opens_at <= moment < self.closes_at


class Party(Value, frozen=True, array_like=True):
    """One side: E.164 phones in ring order, and the code that this side types to reach the other."""

    phones: tuple[str, ...]
    id: str | None = None
    label: str | None = None
    code: str | None = None


class CallPolicy(Value, frozen=True, array_like=True):
    """How a call of this binding is placed; `announce_*` name the prompt that a side hears before it is bridged."""

    record: bool
    ring_timeout_s: int = 30
    max_duration_s: int = 1200
    announce_driver: str | None = None
    announce_client: str | None = None


class Binding(Value, frozen=True, array_like=True):
    """What makes one order callable, as of change number `revision`. `trace` is the W3C traceparent it came with."""

    tenant: str
    order_id: str
    revision: int
    order_version: int
    order_status: str
    status_changed_at: datetime
    number: str
    driver: Party
    client: Party
    from_driver: Window
    from_client: Window
    call: CallPolicy
    trace: str | None = None

    @property
    def ends_at(self) -> datetime:
        """The last moment at which either side's window closes."""
        return max(self.from_driver.closes_at, self.from_client.closes_at)

    def ended(self, now: datetime) -> bool:
        """Whether both directions are over: an ended binding is nobody's."""
        return now >= self.ends_at

    def live(self, now: datetime) -> bool:
        """Whether the order is being carried out (pre-booked ones included), rather than in grace or over."""
        return self.order_status in LIVE_STATUSES and not self.ended(now)

    def party(self, role: Role) -> Party:
        """Return one side."""
        return self.driver if role is Role.DRIVER else self.client

    def window(self, role: Role) -> Window:
        """Return the window in which `role` may call the other side."""
        return self.from_driver if role is Role.DRIVER else self.from_client

    def role_of(self, phone: str) -> Role | None:
        """Return the side that `phone` belongs to."""
        if phone in self.driver.phones:
            return Role.DRIVER
        return Role.CLIENT if phone in self.client.phones else None

    def owner_of(self, code: str) -> Role | None:
        """Return the side that types `code`."""
        if code == self.driver.code:
            return Role.DRIVER
        return Role.CLIENT if code == self.client.code else None

    def person(self, role: Role) -> str:
        """Return who stands on a side: his id, else his first phone. Never shown to anybody."""
        party = self.party(role)
        return f"{role}/{party.id or next(iter(party.phones), '')}"


class Link(Value, frozen=True):
    """A binding seen from one side: `role` is the side that calls."""

    binding: Binding
    role: Role

    @property
    def caller(self) -> Party:
        """The side that calls."""
        return self.binding.party(self.role)

    @property
    def peer(self) -> Party:
        """The side that is called."""
        return self.binding.party(self.role.other)

    @property
    def window(self) -> Window:
        """The window of this direction."""
        return self.binding.window(self.role)
