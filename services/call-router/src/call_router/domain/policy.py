"""Every figure of the routing rules that a tenant may set, with the defaults of the rules."""

import enum
from datetime import timedelta

from call_router.domain.values import Value


class OnUnanswered(enum.StrEnum):
    """What follows when the other side was not reached."""

    ANNOUNCE = "announce"
    OPERATOR = "operator"


class Limit(Value, frozen=True):
    """At most `count` within a time."""

    count: int
    within: timedelta


class Policy(Value, frozen=True):
    """A tenant's routing policy. `order_rank` lists order statuses, best first; others come after them."""

    code_digits: int = 6
    code_from_unknown_phone: bool = True
    follow_caller: bool = True
    order_rank: tuple[str, ...] = ("arrived", "accepted", "in_progress")
    unanswered_by_client: OnUnanswered = OnUnanswered.ANNOUNCE
    unanswered_by_driver: OnUnanswered = OnUnanswered.OPERATOR
    callback_within: timedelta = timedelta(minutes=15)
    callback_after_end_within: timedelta = timedelta(minutes=2)
    return_window: timedelta = timedelta(minutes=15)
    ask_timeout_main_s: int = 4
    ask_timeout_pool_s: int = 7
    recording: str = "dual"
    default_route: str | None = None
    code_attempts_per_call: int = 3
    dials_active: Limit = Limit(10, timedelta(minutes=10))
    dials_grace_short: Limit = Limit(3, timedelta(minutes=10))
    dials_grace_long: Limit = Limit(10, timedelta(hours=24))
    wrong_codes_known: Limit = Limit(10, timedelta(minutes=10))
    wrong_codes_unknown: Limit = Limit(3, timedelta(hours=1))
    wrong_codes_number: Limit = Limit(60, timedelta(hours=1))
