"""Tenants and their policy: every figure that a fleet may set, with its default, in one place."""

import enum
from typing import Annotated

from pydantic import Field

from fareline_contracts.bindings import Announce
from fareline_contracts.fields import Record, Region, Revision, Tenant, Text
from fareline_contracts.orders import OrderStatus

TENANT_TYPE = "fareline.tenant.v1"
Minutes = Annotated[int, Field(ge=0, le=60 * 24 * 30)]
Count = Annotated[int, Field(ge=0, le=100_000)]


class Numbering(enum.StrEnum):
    """Whether orders share the main number or each borrows one of the pool."""

    MAIN = "main"
    POOL = "pool"


class UnknownPhone(enum.StrEnum):
    """What a right code is worth from a phone that nobody knows."""

    ALLOW = "allow"
    DENY = "deny"


class OnUnanswered(enum.StrEnum):
    """What follows when the other side was not reached."""

    ANNOUNCE = "announce"
    OPERATOR = "operator"


class Recording(enum.StrEnum):
    """How a recorded call is kept."""

    MONO = "mono"
    DUAL = "dual"


class Windows(Record):
    """When each direction opens and closes, in minutes."""

    driver_opens_before: Minutes = 60
    client_opens_before: Minutes = 30
    grace_client_to_driver: Minutes = 24 * 60
    grace_driver_to_client: Minutes = 15
    cap: Minutes = 48 * 60
    cool_down: Minutes = 120
    return_window: Minutes = 15


class Limit(Record):
    """At most `count` within `minutes`."""

    count: Count
    minutes: Minutes


class Limits(Record):
    """How often is too often."""

    dials_active: Limit = Limit(count=10, minutes=10)
    dials_grace_short: Limit = Limit(count=3, minutes=10)
    dials_grace_long: Limit = Limit(count=10, minutes=24 * 60)
    wrong_codes_known: Limit = Limit(count=10, minutes=10)
    wrong_codes_unknown: Limit = Limit(count=3, minutes=60)
    wrong_codes_number: Limit = Limit(count=60, minutes=60)
    code_attempts_per_call: Annotated[int, Field(ge=1, le=6)] = 3


class Unanswered(Record):
    """What follows an unanswered call, by direction."""

    driver_to_client: OnUnanswered = OnUnanswered.ANNOUNCE
    client_to_driver: OnUnanswered = OnUnanswered.OPERATOR


class CallDefaults(Record):
    """What each new binding's call policy is made of."""

    record: bool = True
    recording: Recording = Recording.DUAL
    announce: Announce = Announce(client="recording")
    ring_timeout_s: Annotated[int, Field(ge=5, le=300)] = 30
    max_duration_s: Annotated[int, Field(ge=30, le=86_400)] = 1200


class Policy(Record):
    """Everything a tenant may decide. Absent fields take these defaults."""

    numbering: Numbering | None = None
    """None: `pool` where the tenant has a pool number, else `main`."""
    windows: Windows = Windows()
    limits: Limits = Limits()
    calls: CallDefaults = CallDefaults()
    code_digits: Annotated[int, Field(ge=6, le=8)] = 6
    code_from_unknown_phone: UnknownPhone = UnknownPhone.ALLOW
    follow_caller: bool = True
    on_unanswered: Unanswered = Unanswered()
    order_rank: tuple[OrderStatus, ...] = (OrderStatus.ARRIVED, OrderStatus.ACCEPTED, OrderStatus.IN_PROGRESS)
    """Which order is meant, best first; orders that are over follow the ones named here."""
    callback_within: Minutes = 15
    callback_after_end_within: Minutes = 2
    ask_timeout_main_s: Annotated[int, Field(ge=1, le=30)] = 4
    ask_timeout_pool_s: Annotated[int, Field(ge=1, le=30)] = 7
    allowed_prefixes: Annotated[tuple[Text, ...], Field(max_length=100)] = ()
    """E.164 prefixes such as `+7`; empty: every phone may be called."""
    default_route: Text | None = None
    recording_retention_days: Annotated[int, Field(ge=1, le=3650)] = 180
    call_retention_days: Annotated[int, Field(ge=1, le=3650)] = 730


class TenantRecord(Record):
    """One tenant after its change number `revision`; staff are phones or PBX extensions of the fleet's own people."""

    tenant: Tenant
    revision: Revision
    region: Region
    policy: Policy = Policy()
    staff: Annotated[tuple[Text, ...], Field(max_length=1000)] = ()
