"""Order snapshots, the input of Fareline: what a taxi platform says of one order, always whole."""

import enum
from typing import Annotated

from pydantic import Field

from fareline_contracts.fields import Instant, OrderId, RawPhone, Record, Tenant, Text, Version

MAX_SNAPSHOT_BYTES = 64 * 1024
ORDER_TYPE = "taxi.order.v1"


class OrderStatus(enum.StrEnum):
    """Where an order stands; closed, an unknown status is an error of the sender."""

    CREATED = "created"
    SEARCHING = "searching"
    ACCEPTED = "accepted"
    ARRIVED = "arrived"
    IN_PROGRESS = "in_progress"
    COMPLETED = "completed"
    CANCELLED = "cancelled"


class OrderParty(Record):
    """Client or driver as the platform knows them: phones in ring order, as written there."""

    id: Text | None = None
    phones: Annotated[tuple[RawPhone, ...], Field(max_length=5)] = ()
    label: Text | None = None


class Consent(Record):
    """What the parties agreed to."""

    record: bool = True


class Contact(Record):
    """Which direction the platform permits for this order."""

    driver_to_client: bool = True
    client_to_driver: bool = True


class OrderSnapshot(Record):
    """One order as it stands after its change number `version`; a later snapshot replaces an earlier one."""

    tenant: Tenant
    order_id: OrderId
    version: Version
    status: OrderStatus
    status_changed_at: Instant
    scheduled_for: Instant | None = None
    client: OrderParty
    driver: OrderParty | None = None
    consent: Consent = Consent()
    contact: Contact = Contact()
    city: Text | None = None
