"""Decisions: what was answered, why, on which data, with every rule that was tried."""

import enum
from dataclasses import dataclass, field
from datetime import timedelta

from call_router.domain.actions import Action
from call_router.domain.bindings import Direction, Link
from call_router.domain.calls import Attempt, WrongCode
from call_router.domain.values import Value


class Reason(enum.StrEnum):
    """Why a call goes where it goes, in one word for the call log."""

    UNKNOWN_NUMBER = "unknown_number"
    LOOP = "loop"
    DESK = "desk"
    STAFF = "staff"
    EMERGENCY = "emergency"
    EXTENSION = "extension"
    EXTENSION_UNKNOWN_CALLER = "extension_unknown_caller"
    WINDOW_CLOSED = "window_closed"
    WRONG_CODE = "wrong_code"
    CODE_ATTEMPTS_EXCEEDED = "code_attempts_exceeded"
    PAIR = "pair"
    SINGLE_ORDER = "single_order"
    OTHER_NUMBER = "other_number"
    SAME_PARTY = "same_party"
    CALLBACK = "callback"
    ORDER_STATE = "order_state"
    AMBIGUOUS = "ambiguous"
    WITHHELD = "withheld"
    UNKNOWN_CALLER = "unknown_caller"
    BLOCKED = "blocked"
    TOO_MANY_CALLS = "too_many_calls"
    CALLER_GONE = "caller_gone"
    UNANSWERED = "unanswered"
    DRIVER_UNREACHABLE = "driver_unreachable"
    CLIENT_UNREACHABLE = "client_unreachable"
    DIAL_FAILED = "dial_failed"
    STEP_LIMIT = "step_limit"
    FALLBACK_RETURNED = "fallback_returned"
    NO_LINE = "no_line"
    INTERNAL_ERROR = "internal_error"
    OVERLOADED = "overloaded"


class Source(enum.StrEnum):
    """Whose data a decision rests on."""

    REPLICA = "replica"
    BINDER = "binder"
    DEFAULT = "default"


class Outcome(enum.StrEnum):
    """What came of trying a rule."""

    FITS = "fits"
    PASSED = "passed"
    NOTED = "noted"


class RuleOutcome(Value, frozen=True):
    """One rule that was tried. No phone stands in `why`."""

    rule: str
    outcome: Outcome
    why: str


@dataclass(slots=True)
class Explanation:
    """Collects the rules' outcomes while a decision is made."""

    rules: list[RuleOutcome] = field(default_factory=list)

    def fits(self, rule: str, why: str) -> None:
        """Say that `rule` decides."""
        self.rules.append(RuleOutcome(rule, Outcome.FITS, why))

    def passed(self, rule: str, why: str) -> None:
        """Say that `rule` was tried and leaves the call to the next."""
        self.rules.append(RuleOutcome(rule, Outcome.PASSED, why))

    def noted(self, rule: str, why: str) -> None:
        """Say what `rule` changed or found without deciding."""
        self.rules.append(RuleOutcome(rule, Outcome.NOTED, why))


class Verdict(Value, frozen=True):
    """What a rule decides. `attempt` and `wrong_code` are what later calls must remember of it."""

    reason: Reason
    actions: tuple[Action, ...]
    link: Link | None = None
    also: tuple[str, ...] = ()
    attempt: Attempt | None = None
    wrong_code: WrongCode | None = None


class Decision(Value, frozen=True):
    """The answer to one question. `age` is that of the data, None when nothing is known of it."""

    reason: Reason
    actions: tuple[Action, ...]
    rules: tuple[RuleOutcome, ...]
    tenant: str | None = None
    number: str | None = None
    caller: str | None = None
    link: Link | None = None
    direction: Direction | None = None
    candidates: tuple[Link, ...] = ()
    also: tuple[str, ...] = ()
    attempt: Attempt | None = None
    wrong_code: WrongCode | None = None
    source: Source = Source.REPLICA
    age: timedelta | None = None
