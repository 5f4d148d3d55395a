"""Documents of the HTTP interface that are no contract's record."""

import re
from datetime import datetime, timedelta
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, ConfigDict, Field

from fareline_contracts.bindings import Directions
from fareline_contracts.fields import E164, OrderId, Record, Region, Revision, Tenant, Text
from fareline_contracts.numbers import NumberRecord, NumberRole, NumberState
from fareline_contracts.orders import OrderSnapshot
from fareline_contracts.tenants import Policy
from order_binder.domain.states import BindingState

MAX_SNAPSHOTS = 500

SNAPSHOT_EXAMPLE = {
    "tenant": "demo",
    "order_id": "o-1001",
    "version": 3,
    "status": "accepted",
    "status_changed_at": "2026-11-24T10:00:00Z",
    "scheduled_for": None,
    "client": {"id": "c-77", "phones": ["+79261234567"], "label": "Anna"},
    "driver": {"id": "d-5", "phones": ["+79031112233"], "label": "white Camry 123"},
    "consent": {"record": True},
    "contact": {"driver_to_client": True, "client_to_driver": True},
    "city": "moscow",
}
_WAIT = re.compile(r"^(\d{1,3}(?:\.\d{1,3})?)(ms|s)?$")


def _wait(value: object) -> object:
    if not isinstance(value, str):
        return value
    found = _WAIT.match(value)
    if found is None:
        raise ValueError("must be a time such as 2s or 500ms")
    return timedelta(**{"milliseconds" if found[2] == "ms" else "seconds": float(found[1])})


def _known(value: NumberRole | NumberState) -> NumberRole | NumberState:
    if value == "other":
        raise ValueError("is not one of the known values")
    return value


Wait = Annotated[timedelta, BeforeValidator(_wait), Field(ge=timedelta(0), le=timedelta(seconds=30))]
KnownRole = Annotated[NumberRole, AfterValidator(_known)]
KnownState = Annotated[NumberState, AfterValidator(_known)]
Snapshots = Annotated[list[OrderSnapshot], Field(min_length=1, max_length=MAX_SNAPSHOTS)]


class AcceptedSnapshots(Record):
    """How many snapshots stand safely in Kafka now."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"accepted": 1}]})

    accepted: int


class PerParty(Record):
    """One text for each side."""

    driver: Text
    client: Text


class BindingAnswer(Record):
    """What the apps show of an order.

    Number, codes, `dial` and directions are null while there is no binding. `reason` says why an order is unroutable.
    """

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "tenant": "demo",
                    "order_id": "o-1001",
                    "state": "active",
                    "reason": None,
                    "order_version": 3,
                    "revision": 1764000000123456,
                    "reached": True,
                    "number": "+74950000101",
                    "codes": {"driver": "482913", "client": "118204"},
                    "dial": {"driver": "tel:+74950000101", "client": "tel:+74950000101"},
                    "directions": {
                        "driver_to_client": {
                            "opens_at": "2026-11-24T10:00:00Z",
                            "closes_at": "2026-11-26T10:00:00Z",
                            "allowed": True,
                        },
                        "client_to_driver": {
                            "opens_at": "2026-11-24T10:00:00Z",
                            "closes_at": "2026-11-26T10:00:00Z",
                            "allowed": True,
                        },
                    },
                    "as_of": "2026-11-24T10:00:01Z",
                }
            ]
        }
    )

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


class NumberDocument(Record):
    """What a fleet says of one of its numbers; `tenant`, `e164` and `revision` are the server's and ignored here."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"role": "pool", "state": "active", "asks_code": True}]})

    role: KnownRole
    state: KnownState = NumberState.ACTIVE
    asks_code: bool = True
    city: Text | None = None
    default_route: Text | None = None


class Numbers(Record):
    """The inventory of a tenant."""

    numbers: list[NumberRecord]


class TenantDocument(Record):
    """What a fleet decides; `tenant` and `revision` are the server's and ignored here."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"region": "RU", "policy": {"numbering": "pool"}, "staff": ["+74957770001"]}]}
    )

    region: Region
    policy: Policy = Policy()
    staff: Annotated[tuple[Text, ...], Field(max_length=1000)] = ()
