"""Calls while they last: the PBX's questions, what was answered so far, and the dials that others remember."""

import enum
from datetime import datetime, timedelta

from call_router.domain.bindings import Direction
from call_router.domain.inventory import Account
from call_router.domain.values import Value


class QuestionKind(enum.StrEnum):
    """What a PBX asks."""

    STARTED = "call.started"
    DIGITS = "call.digits"
    DIALED = "call.dialed"


class DialResult(enum.StrEnum):
    """How a dial ended when nobody was bridged."""

    BUSY = "busy"
    NO_ANSWER = "no_answer"
    REJECTED = "rejected"
    UNREACHABLE = "unreachable"
    FAILED = "failed"
    CANCELLED = "cancelled"


class CallSoFar(Value, frozen=True):
    """What was answered before this question, `step` being the question's own number from 1.

    `asked` is the reason of the last ask, `direction` and `order_id` those of the last dial.
    """

    step: int = 1
    dials: int = 0
    wrong_codes: int = 0
    asked: str | None = None
    direction: Direction | None = None
    order_id: str | None = None
    fell_back: bool = False


class Question(Value, frozen=True):
    """What a PBX wants to know of one call; `caller` and `number` are as the PBX wrote them.

    `context` is what an earlier answer gave it to carry. `digits` belong to DIGITS, `result` to DIALED, and so do
    `targets_left`: those of the dial that a PBX has not rung, because it rings one for each answer.
    """

    kind: QuestionKind
    account: Account
    pbx_call_id: str
    caller: str
    number: str
    at: datetime
    digits: str = ""
    context: str = ""
    result: DialResult | None = None
    ring: timedelta | None = None
    targets_left: tuple[str, ...] = ()
    so_far: CallSoFar = CallSoFar()


class Outcome(enum.StrEnum):
    """What is known of an attempt."""

    PENDING = "pending"
    ANSWERED = "answered"
    UNANSWERED = "unanswered"


SILENCE_MEANS_UNANSWERED = timedelta(seconds=60)
TOO_SHORT_TO_COUNT = timedelta(seconds=5)


class Attempt(Value, frozen=True):
    """A dial we answered with, from one person to another.

    `caller` is the phone he called from, None when withheld. `gives_up_at` is when the last target stops ringing.
    """

    tenant: str
    order_id: str
    from_person: str
    to_person: str
    caller: str | None
    at: datetime
    gives_up_at: datetime
    outcome: Outcome = Outcome.PENDING
    ended_at: datetime | None = None
    rang: timedelta | None = None

    def unanswered(self, now: datetime) -> bool:
        """Whether a report says that nobody answered, or nothing was reported for too long."""
        if self.outcome is Outcome.PENDING:
            return now >= self.gives_up_at + SILENCE_MEANS_UNANSWERED
        return self.outcome is Outcome.UNANSWERED

    @property
    def counts(self) -> bool:
        """Whether the dial counts towards a limit: not if it is known to have rung for a moment only."""
        too_short = self.rang is not None and self.rang < TOO_SHORT_TO_COUNT
        return self.outcome is Outcome.ANSWERED or not too_short


class WrongCode(Value, frozen=True):
    """A wrong code typed by `caller` (None when withheld) on `number`; `known` if he is anybody's party."""

    tenant: str
    caller: str | None
    number: str
    known: bool
    at: datetime
