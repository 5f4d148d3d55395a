"""What the use cases and the edges need of each other."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol

from call_router.domain.actions import Action
from call_router.domain.bindings import Binding, Role
from call_router.domain.calls import Attempt, Question, WrongCode
from call_router.domain.decisions import Decision
from call_router.domain.inventory import ProxyNumber, Tenant
from call_router.domain.reports import Report
from call_router.domain.values import Value
from call_router.domain.view import RecentCalls, View


class PbxRequest(Value, frozen=True):
    """A webhook as it arrived: header names in lower case, `path` the part after the account, body unparsed."""

    method: str
    path: str
    query: bytes
    headers: Mapping[str, str]
    body: bytes
    received_at: datetime


class PbxResponse(Value, frozen=True):
    """What a PBX is answered."""

    body: bytes
    content_type: str = "application/json"
    status: int = 200


class SignatureRefused(Exception):
    """The signature is missing or wrong; `reason` is one word for the metric, such as `missing`."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class RequestUnreadable(Exception):
    """A signed request is not what the adapter understands. The text holds no value of it."""


class Echo(Value, frozen=True):
    """A PBX checks that this is our address: the response that proves it."""

    response: PbxResponse


class Ignored(Value, frozen=True):
    """A signed request of a kind that is nothing to us; `event` is its name, cut to a safe few letters."""

    event: str


class Played(Value, frozen=True):
    """A PBX that does one thing at a time has played the prompt of its last answer: what comes after it?"""

    question: Question


class Restarted(Value, frozen=True):
    """A PBX shows a call as new. If it was told to dial a while ago, then nobody answered and the call came back.

    `started_at` is when the call began, None where the PBX's clock cannot be trusted; `clock_offset` how far our clock
    is ahead of it, None where that is not known.
    """

    question: Question
    started_at: datetime | None = None
    clock_offset: timedelta | None = None


Parsed = Question | Restarted | Played | Report | Echo | Ignored


class PbxAdapter(Protocol):
    """One PBX's language, for one account. Adding a PBX means writing one of these: `pbx/<kind>.py` and its tests."""

    def parse(self, request: PbxRequest) -> Parsed:
        """Verify and read a webhook; raises SignatureRefused or RequestUnreadable."""
        ...

    def fit(self, question: Question, decision: Decision) -> Decision:
        """Return what this PBX can do of a decision, a fallback where it can do nothing of it."""
        ...

    def render(self, question: Question, decision: Decision) -> PbxResponse:
        """Return the answer to a question in the PBX's language; the decision is one that `fit` returned."""
        ...

    def accepted(self) -> PbxResponse:
        """Return the answer to a report."""
        ...


class Answered(Value, frozen=True):
    """A question with its answer. `repeated`: it was asked before and nothing new happened."""

    call_id: str
    question: Question
    decision: Decision
    decided_at: datetime
    took: timedelta
    repeated: bool = False

    @property
    def decision_id(self) -> str:
        """The id of the decision: of the call and its step."""
        return f"{self.call_id}-{self.question.so_far.step}"


@dataclass(frozen=True, slots=True)
class Heard:
    """The last answer of a call as the call topic tells it: another router's, or this one's before it was restarted."""

    step: int
    decided_at: datetime
    action: Action
    tenant: str | None = None
    order_id: str | None = None


@dataclass(slots=True)
class CallMemory:
    """A call: this process's answers by step, what is heard of other processes', whether the two sides ever talked."""

    call_id: str
    answers: dict[int, Answered] = field(default_factory=dict)
    bridged: bool = False
    heard: Heard | None = None

    @property
    def last(self) -> Answered | None:
        """The latest answer."""
        return self.answers[max(self.answers)] if self.answers else None

    @property
    def tenant(self) -> str | None:
        """The tenant whose call it is, as far as an answer told."""
        if self.last is not None:
            return self.last.decision.tenant
        return None if self.heard is None else self.heard.tenant

    @property
    def foreign(self) -> Heard | None:
        """What is heard of the call, if that is further on than the answers of this process."""
        known = max(self.answers, default=0)
        return self.heard if self.heard is not None and self.heard.step > known else None

    @property
    def trace(self) -> str | None:
        """The trace of the order that the call was decided by."""
        linked = (answer.decision.link for answer in self.answers.values())
        return next((link.binding.trace for link in linked if link is not None and link.binding.trace), None)


class Calls(Protocol):
    """The memory of calls under way."""

    def of(self, call_id: str) -> CallMemory:
        """Return the memory of a call, made when first asked for."""
        ...


class Recent(RecentCalls, Protocol):
    """The memory of recent calls, and how it is fed."""

    def dialled(self, call_id: str, step: int, attempt: Attempt) -> None:
        """Remember a dial that we answered a call's step with; the same step again is no second attempt."""
        ...

    def called_from(self, tenant: str, order_id: str, role: Role, phone: str) -> None:
        """Remember the phone that a side of an order called from."""
        ...

    def answered(self, call_id: str) -> None:
        """Note that the call's latest dial was answered."""
        ...

    def unanswered(self, call_id: str, rang: timedelta | None) -> None:
        """Note that nobody answered the call's latest dial."""
        ...

    def ended(self, call_id: str, at: datetime) -> None:
        """Note that the call is over."""
        ...

    def wrong_code(self, call_id: str, step: int, wrong: WrongCode) -> None:
        """Remember a wrong code typed at a step of a call; the same step again is no second one."""
        ...

    def attempt_of(self, call_id: str) -> Attempt | None:
        """Return the latest attempt of a call."""
        ...


class Memory(Protocol):
    """What this process remembers of calls."""

    @property
    def calls(self) -> Calls:
        """Calls under way."""
        ...

    @property
    def recent(self) -> Recent:
        """Recent calls."""
        ...


class DataState(Protocol):
    """How good the replica's data is."""

    def age(self, now: datetime) -> timedelta | None:
        """Return how old the data is, None when that is not known."""
        ...

    @property
    def unsure(self) -> bool:
        """Whether the replica may lack what order-binder has: still filling, or cut off."""
        ...


class Wanted(Value, frozen=True):
    """What order-binder is asked about a call. `tenants` are those whose call it may be."""

    tenants: tuple[str, ...]
    number: str
    phone: str | None
    code: str | None


class Found(Value, frozen=True):
    """What order-binder answered."""

    bindings: tuple[Binding, ...]
    number: ProxyNumber | None = None
    tenant: Tenant | None = None


class Binder(Protocol):
    """Order-binder, asked when the replica may not know."""

    async def find(self, wanted: Wanted) -> Found | None:
        """Return what it knows, within the deadline; None if it cannot be asked just now, or knew nothing lately."""
        ...


class Replica(Protocol):
    """What decisions are made on, and where news of it goes, from Kafka and from order-binder's answers alike."""

    @property
    def view(self) -> View:
        """What a decision may look at, as of now."""
        ...

    def put_binding(self, binding: Binding) -> bool:
        """Take a binding in; returns whether it was news."""
        ...

    def put_number(self, number: ProxyNumber) -> bool:
        """Take a number in; returns whether it was news."""
        ...

    def put_tenant(self, tenant: Tenant) -> bool:
        """Take a tenant in; returns whether it was news."""
        ...


class SnapshotUnusable(Exception):
    """A snapshot is absent, damaged or of another version. The text says what is wrong with it and holds no data."""


class JournalRefused(Exception):
    """An event could not be written down: the disk or the spool is full."""


class Journal(Protocol):
    """Where call events become durable before the PBX has its answer."""

    async def answered(self, answered: Answered, *, account: str, trace: str | None) -> None:
        """Write down a question and its answer; raises JournalRefused."""
        ...

    async def reported(self, report: Report, call: CallMemory, *, account: str, received_at: datetime) -> None:
        """Write down a report; raises JournalRefused."""
        ...
