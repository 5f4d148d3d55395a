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

    driver_opens_before: Annotated[
        Minutes, Field(description="Minutes before `scheduled_for` from which the driver of a booked order may call.")
    ] = 60
    client_opens_before: Annotated[
        Minutes, Field(description="Minutes before `scheduled_for` from which its client may call.")
    ] = 30
    grace_client_to_driver: Annotated[
        Minutes, Field(description="Minutes after completion in which the client may call.")
    ] = 24 * 60
    grace_driver_to_client: Annotated[
        Minutes, Field(description="Minutes after completion in which the driver may call.")
    ] = 15
    cap: Annotated[Minutes, Field(description="Minutes without news after which an order is closed.")] = 48 * 60
    cool_down: Annotated[
        Minutes, Field(description="Minutes for which a slot rests before it may mean somebody else.")
    ] = 120
    return_window: Annotated[
        Minutes,
        Field(description="Minutes in which whoever missed a call may call back, even with his own window closed."),
    ] = 15


class Limit(Record):
    """At most `count` within `minutes`."""

    count: Annotated[Count, Field(description="How often at most.")]
    minutes: Annotated[Minutes, Field(description="Minutes within which that often.")]


class Limits(Record):
    """How often is too often."""

    dials_active: Annotated[
        Limit,
        Field(
            description="Calls of one phone about one order while it is carried out; the next goes to the call centre."
        ),
    ] = Limit(count=10, minutes=10)
    dials_grace_short: Annotated[
        Limit, Field(description="Calls of one phone about one order after its end, in short.")
    ] = Limit(count=3, minutes=10)
    dials_grace_long: Annotated[
        Limit, Field(description="Calls of one phone about one order after its end, in all.")
    ] = Limit(count=10, minutes=24 * 60)
    wrong_codes_known: Annotated[Limit, Field(description="Wrong codes of a phone that is party of an order.")] = Limit(
        count=10, minutes=10
    )
    wrong_codes_unknown: Annotated[Limit, Field(description="Wrong codes of any other phone.")] = Limit(
        count=3, minutes=60
    )
    wrong_codes_number: Annotated[
        Limit, Field(description="Wrong codes of all unknown and withheld callers of one number together.")
    ] = Limit(count=60, minutes=60)
    code_attempts_per_call: Annotated[int, Field(ge=1, le=6, description="Wrong codes in one call.")] = 3


class Unanswered(Record):
    """What follows an unanswered call, by direction."""

    driver_to_client: Annotated[
        OnUnanswered,
        Field(description="A driver whose client was not reached is told so (`announce`) or handed over (`operator`)."),
    ] = OnUnanswered.ANNOUNCE
    client_to_driver: Annotated[
        OnUnanswered,
        Field(description="A client whose driver was not reached is told so (`announce`) or handed over (`operator`)."),
    ] = OnUnanswered.OPERATOR


class CallDefaults(Record):
    """What each new binding's call policy is made of."""

    record: Annotated[bool, Field(description="Whether calls are recorded.")] = True
    recording: Annotated[Recording, Field(description="`dual`: a channel for each side; `mono`: both in one.")] = (
        Recording.DUAL
    )
    announce: Annotated[Announce, Field(description="The prompts before a recorded call is bridged.")] = Announce(
        client="recording"
    )
    ring_timeout_s: Annotated[int, Field(ge=5, le=300, description="Seconds for which a phone rings.")] = 30
    max_duration_s: Annotated[int, Field(ge=30, le=86_400, description="Seconds after which the PBX ends a call.")] = (
        1200
    )


class Policy(Record):
    """Everything a tenant may decide. Absent fields take these defaults."""

    numbering: Annotated[
        Numbering | None,
        Field(
            description="`main`: everybody dials the main number; `pool`: each order borrows one; null: `pool` where "
            "the tenant has a pool number."
        ),
    ] = None
    windows: Annotated[Windows, Field(description="From when until when each side may call.")] = Windows()
    limits: Annotated[Limits, Field(description="How often one may call or mistype a code.")] = Limits()
    calls: Annotated[
        CallDefaults, Field(description="How calls are placed; a binding takes it over with its next change.")
    ] = CallDefaults()
    code_digits: Annotated[
        int, Field(ge=6, le=8, description="Length of codes in digits; where many are in use, new ones get one more.")
    ] = 6
    code_from_unknown_phone: Annotated[
        UnknownPhone,
        Field(description="Whether a right code, on the order's own number, lets in a phone that nobody knows."),
    ] = UnknownPhone.ALLOW
    follow_caller: Annotated[
        bool,
        Field(
            description="Whether a party who dials another pool number is connected about the order that he has now."
        ),
    ] = True
    on_unanswered: Annotated[Unanswered, Field(description="What follows when the other side was not reached.")] = (
        Unanswered()
    )
    order_rank: Annotated[
        tuple[OrderStatus, ...],
        Field(description="Which of several orders is meant, best first; orders that are over come last."),
    ] = (OrderStatus.ARRIVED, OrderStatus.ACCEPTED, OrderStatus.IN_PROGRESS)
    callback_within: Annotated[
        Minutes, Field(description="Minutes in which a call is taken to return the other side's unanswered one.")
    ] = 15
    callback_after_end_within: Annotated[
        Minutes, Field(description="Minutes in which a call is taken to return one that was answered and has ended.")
    ] = 2
    ask_timeout_main_s: Annotated[
        int,
        Field(
            ge=1,
            le=30,
            description="Seconds without a digit after which a call on a main number goes to the call centre.",
        ),
    ] = 4
    ask_timeout_pool_s: Annotated[
        int,
        Field(
            ge=1,
            le=30,
            description="Seconds without a digit after which a call on a pool number goes to the call centre.",
        ),
    ] = 7
    allowed_prefixes: Annotated[
        tuple[Text, ...],
        Field(max_length=100, description="E.164 prefixes, such as `+7`, of phones that may be called; empty: all."),
    ] = ()
    default_route: Annotated[
        Text | None,
        Field(description="Call centre, a name among the account's `targets`; a number's own comes first."),
    ] = None
    recording_retention_days: Annotated[int, Field(ge=1, le=3650, description="Days for which audio is kept.")] = 180
    call_retention_days: Annotated[
        int, Field(ge=1, le=3650, description="Days for which rows of the call log are kept.")
    ] = 730


class TenantRecord(Record):
    """One tenant after its change number `revision`; staff are phones or PBX extensions of the fleet's own people."""

    tenant: Tenant
    revision: Revision
    region: Region
    policy: Policy = Policy()
    staff: Annotated[tuple[Text, ...], Field(max_length=1000)] = ()
