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

    id: Annotated[Text | None, Field(description="Tells whether it is the same person as before.")] = None
    phones: Annotated[
        tuple[RawPhone, ...],
        Field(
            max_length=5,
            description="In ring order, as people of the tenant's region write them; one that is no phone is left out.",
        ),
    ] = ()
    label: Annotated[Text | None, Field(description="Shown to the operator.")] = None


class Consent(Record):
    """What the parties agreed to."""

    record: Annotated[bool, Field(description="False: the order's calls are not recorded.")] = True


class Contact(Record):
    """Which direction the platform permits for this order."""

    driver_to_client: Annotated[bool, Field(description="False: the driver cannot call about this order.")] = True
    client_to_driver: Annotated[bool, Field(description="False: the client cannot call about this order.")] = True


class OrderSnapshot(Record):
    """One order as it stands after its change number `version`; a later snapshot replaces an earlier one."""

    tenant: Annotated[Tenant, Field(description="The fleet.")]
    order_id: Annotated[OrderId, Field(description="The order's id at the platform.")]
    version: Annotated[
        Version,
        Field(description="Grows with every change of the order, never begins anew; one not higher changes nothing."),
    ]
    status: Annotated[
        OrderStatus, Field(description="An order can be called while it has a driver, from `accepted` on.")
    ]
    status_changed_at: Annotated[
        Instant,
        Field(description="When it became so, RFC 3339 with a time zone; windows are counted from it after the end."),
    ]
    scheduled_for: Annotated[
        Instant | None, Field(description="Of a booked order: when it is for, RFC 3339 with a time zone.")
    ] = None
    client: Annotated[OrderParty, Field(description="Who ordered.")]
    driver: Annotated[
        OrderParty | None,
        Field(description="Absent before there is one; another one takes the first one's place at once."),
    ] = None
    consent: Annotated[Consent, Field(description="What the parties agreed to, as the platform knows it.")] = Consent()
    contact: Annotated[Contact, Field(description="Which directions are open.")] = Contact()
    city: Annotated[Text | None, Field(description="For people to read.")] = None
