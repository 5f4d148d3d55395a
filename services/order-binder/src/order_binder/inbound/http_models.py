"""Documents of the HTTP interface that are no contract's record."""

import re
from datetime import datetime, timedelta
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, ConfigDict, Field, WithJsonSchema

from fareline_contracts.bindings import Directions
from fareline_contracts.fields import E164, OrderId, Record, Region, Revision, Tenant, Text
from fareline_contracts.numbers import NumberRecord, NumberRole, NumberState
from fareline_contracts.orders import OrderSnapshot
from fareline_contracts.tenants import Policy
from order_binder.domain.states import BindingState
from order_binder.inbound.http_examples import ACCEPTED, BINDING
from order_binder.inbound.strict_documents import Document, NoUnknownFields

MAX_SNAPSHOTS = 500

_WAIT = re.compile(r"([0-9]{1,5}(?:\.[0-9]{1,3})?)(ms|s)?")


def _wait(value: object) -> object:
    if not isinstance(value, str):
        return value
    found = _WAIT.fullmatch(value)
    if found is None:
        raise ValueError("must be a time such as 2s or 500ms")
    return timedelta(**{"milliseconds" if found[2] == "ms" else "seconds": float(found[1])})


def _known(value: NumberRole | NumberState) -> NumberRole | NumberState:
    if value == "other":
        raise ValueError("is not one of the known values")
    return value


def _whole(phone: str) -> str:
    if "***" in phone:
        raise ValueError("is masked, as shown to who may not read numbers: send it whole")
    return phone


Wait = Annotated[
    timedelta,
    BeforeValidator(_wait),
    Field(ge=timedelta(0), le=timedelta(seconds=30)),
    WithJsonSchema(
        {"type": "string", "pattern": "^([0-9]|[12][0-9]|30)s$|^[0-9]{1,4}ms$", "examples": ["2s", "500ms"]}
    ),
]
KnownRole = Annotated[
    NumberRole, AfterValidator(_known), WithJsonSchema({"type": "string", "enum": ["main", "pool", "desk"]})
]
KnownState = Annotated[
    NumberState,
    AfterValidator(_known),
    WithJsonSchema({"type": "string", "enum": ["active", "pending_label", "draining", "resting"]}),
]
Ignored = Annotated[Any, Field(description="As GET shows it; ignored here.")]
Snapshots = Annotated[list[OrderSnapshot], Field(min_length=1, max_length=MAX_SNAPSHOTS)]


class AcceptedSnapshots(Record):
    """How many snapshots stand safely in Kafka now."""

    model_config = ConfigDict(json_schema_extra={"examples": [ACCEPTED]})

    accepted: int


class PerParty(Record):
    """One text for each side."""

    driver: Text
    client: Text


class BindingAnswer(Record):
    """What the apps show of an order.

    Number, codes, `dial` and directions are null while there is no binding. `reason` says why an order is unroutable.
    """

    model_config = ConfigDict(json_schema_extra={"examples": [BINDING]})

    tenant: Tenant
    order_id: OrderId
    state: BindingState
    reason: Text | None = None
    order_version: int | None = None
    revision: Revision | None = None
    reached: bool
    number: E164 | None = None
    codes: PerParty | None = None
    dial: PerParty | None = None
    directions: Directions | None = None
    as_of: datetime


class NumberDocument(Document):
    """What a fleet says of one of its numbers; `tenant`, `e164` and `revision` are the server's and ignored here."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"role": "pool", "state": "active", "asks_code": True}]})

    e164: Ignored = None
    tenant: Ignored = None
    revision: Ignored = None
    role: Annotated[
        KnownRole,
        Field(description="`main`: for all orders; `pool`: lent to one after another; `desk`: always the call centre."),
    ]
    state: Annotated[
        KnownState,
        Field(
            description="`active`; `draining`: keeps its bindings, gets no new one; `resting`, `pending_label`: "
            "bindings leave it with their next change."
        ),
    ] = NumberState.ACTIVE
    asks_code: Annotated[
        bool, Field(description="Whether an unknown caller is asked for a code; else the call centre takes him.")
    ] = True
    city: Annotated[Text | None, Field(description="For people to read.")] = None
    default_route: Annotated[
        Text | None, Field(description="The number's own call centre: a name among the account's `targets`.")
    ] = None


class Numbers(Record):
    """The inventory of a tenant."""

    numbers: list[NumberRecord]


class TenantDocument(Document):
    """What a fleet decides; `tenant` and `revision` are the server's and ignored here."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"region": "RU", "policy": {"numbering": "pool"}, "staff": ["+74957770001"]}]}
    )

    tenant: Ignored = None
    revision: Ignored = None
    region: Annotated[
        Region, Field(description="ISO 3166 country whose way of writing phones the orders use, such as `RU`.")
    ]
    policy: Annotated[
        Policy, NoUnknownFields(), Field(description="What is left out takes its default, whatever it was before.")
    ] = Policy()
    staff: Annotated[
        tuple[Annotated[Text, AfterValidator(_whole)], ...],
        Field(
            max_length=1000,
            description="Phones or PBX extensions of the fleet's own people: any order's code is theirs to type, "
            "without limits.",
        ),
    ] = ()
