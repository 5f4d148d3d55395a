"""Binding records and heartbeats: what call-router needs to know of every order."""

from typing import Annotated

from pydantic import Field

from fareline_contracts.fields import (
    E164,
    Code,
    Instant,
    OpenEnum,
    OrderId,
    Record,
    Revision,
    Tenant,
    Text,
    Version,
)
from fareline_contracts.orders import OrderStatus

BINDING_TYPE = "fareline.binding.v1"
HEARTBEAT_TYPE = "fareline.heartbeat.v1"


class BindingState(OpenEnum):
    """A word for people to read; routing goes by the directions and the clock alone."""

    PENDING = "pending"
    ACTIVE = "active"
    GRACE = "grace"
    ENDED = "ended"
    OTHER = "other"


class BoundParty(Record):
    """One side of a binding: E.164 phones in ring order, and the code that he types to reach the other side."""

    id: Text | None = None
    phones: Annotated[tuple[E164, ...], Field(max_length=5)] = ()
    label: Text | None = None
    code: Code | None = None


class Parties(Record):
    """Both sides of a binding."""

    driver: BoundParty
    client: BoundParty


class Direction(Record):
    """The window `[opens_at, closes_at)` in which one side may call the other, and whether it may at all."""

    opens_at: Instant
    closes_at: Instant
    allowed: bool = True


class Directions(Record):
    """Both directions of a binding."""

    driver_to_client: Direction
    client_to_driver: Direction


class Announce(Record):
    """The prompt that each side hears before it is bridged, if any."""

    client: Annotated[Text | None, Field(description="The prompt that the client hears; null: none.")] = None
    driver: Annotated[Text | None, Field(description="The prompt that the driver hears; null: none.")] = None


class CallPolicy(Record):
    """How a call of this binding is placed."""

    caller_id: E164
    record: bool
    announce: Announce = Announce()
    ring_timeout_s: Annotated[int, Field(ge=5, le=300)] = 30
    max_duration_s: Annotated[int, Field(ge=30, le=86_400)] = 1200


class BindingRecord(Record):
    """The whole binding of one order after its change number `revision`; readers keep the highest revision."""

    tenant: Tenant
    order_id: OrderId
    revision: Revision
    order_version: Version
    state: BindingState
    order_status: OrderStatus
    status_changed_at: Instant
    number: E164
    parties: Parties
    directions: Directions
    call_policy: CallPolicy
    caused_at: Instant
    updated_at: Instant


class Heartbeat(Record):
    """Proof that everything committed before `as_of` stands before this record in its partition.

    `input_as_of` is the time of the oldest order event that no order-binder has processed yet.
    """

    partition: Annotated[int, Field(ge=0)]
    as_of: Instant
    input_as_of: Instant
    epoch: Annotated[int, Field(ge=0)]


def binding_key(tenant: str, order_id: str) -> bytes:
    """Return the Kafka key of an order's binding."""
    return f"{tenant}/{order_id}".encode()


def heartbeat_key(partition: int) -> bytes:
    """Return the Kafka key of a partition's heartbeat; no tenant begins with an underscore."""
    return f"_hb/{partition}".encode()
