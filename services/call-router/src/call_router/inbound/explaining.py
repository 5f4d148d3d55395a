"""The explain endpoint's question and answer. Phones are masked on the way out."""

from datetime import datetime
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field
from pydantic.config import JsonDict

from call_router.domain.actions import Action, Dial
from call_router.domain.bindings import Link
from call_router.domain.calls import CallSoFar, Question, QuestionKind
from call_router.domain.decisions import Decision
from call_router.domain.inventory import Account
from call_router.records.actions import action_json
from fareline_chassis.privacy import mask_phone

_Phone = Annotated[str, Field(max_length=64)]


_EXAMPLE: JsonDict = {
    "decision": {
        "actions": [
            {
                "do": "dial",
                "targets": ["+7***4567"],
                "caller_id": "+7***0101",
                "ring_timeout_s": 30,
                "max_duration_s": 1200,
                "record": "dual",
                "announce": {"caller": None, "callee": "recording"},
                "context": "1.1.0.pair.d",
            }
        ],
        "reason": "pair",
        "source": "replica",
        "age_s": 0.8,
        "tenant": "demo",
        "order_id": "o-1001",
        "revision": 1764000000123456,
    },
    "rules": [
        {"rule": "1", "outcome": "passed", "why": "a pool number of tenant demo"},
        {"rule": "2", "outcome": "passed", "why": "no digits were typed"},
        {"rule": "3", "outcome": "fits", "why": "the caller is the driver of the order that was lent this number"},
    ],
    "candidates": [
        {
            "order_id": "o-1001",
            "role": "driver",
            "order_status": "accepted",
            "revision": 1764000000123456,
            "opens_at": "2026-11-24T10:00:00Z",
            "closes_at": "2026-11-26T10:00:00Z",
            "allowed": True,
        }
    ],
}


class ExplainQuestion(BaseModel):
    """A call that nobody made: `caller` empty for a withheld number, `digits` for a code typed at the first ask."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {"account": "demo-generic", "number": "+74950000101", "caller": "+79031112233"},
                {"account": "demo-generic", "number": "+74950000101", "caller": "", "digits": "482913"},
            ]
        },
    )

    account: Annotated[str, Field(max_length=63)]
    number: _Phone
    caller: _Phone = ""
    digits: Annotated[str, Field(max_length=64)] | None = None


class ExplainedRule(BaseModel):
    """One rule that was tried."""

    rule: str
    outcome: str
    why: str


class Candidate(BaseModel):
    """One order of the caller."""

    order_id: str
    role: str
    order_status: str
    revision: int
    opens_at: datetime
    closes_at: datetime
    allowed: bool


class ExplainedDecision(BaseModel):
    """Where the call would go."""

    actions: list[dict[str, Any]]
    reason: str
    source: str
    age_s: float | None
    tenant: str | None
    order_id: str | None
    revision: int | None


class ExplainAnswer(BaseModel):
    """The decision with its rules, and the caller's orders."""

    model_config = ConfigDict(json_schema_extra={"examples": [_EXAMPLE]})

    decision: ExplainedDecision
    rules: list[ExplainedRule]
    candidates: list[Candidate]


def question_of(body: ExplainQuestion, account: Account, now: datetime) -> Question:
    """Return the question that a PBX would ask."""
    typed = body.digits is not None
    return Question(
        kind=QuestionKind.DIGITS if typed else QuestionKind.STARTED,
        account=account,
        pbx_call_id="explain",
        caller=body.caller,
        number=body.number,
        at=now,
        digits=body.digits or "",
        so_far=CallSoFar(step=2 if typed else 1),
    )


def explained(decision: Decision) -> ExplainAnswer:
    """Return a decision as the endpoint shows it."""
    binding = None if decision.link is None else decision.link.binding
    return ExplainAnswer(
        decision=ExplainedDecision(
            actions=[_masked(action) for action in decision.actions],
            reason=decision.reason,
            source=decision.source,
            age_s=None if decision.age is None else decision.age.total_seconds(),
            tenant=decision.tenant,
            order_id=None if binding is None else binding.order_id,
            revision=None if binding is None else binding.revision,
        ),
        rules=[ExplainedRule(rule=rule.rule, outcome=rule.outcome, why=rule.why) for rule in decision.rules],
        candidates=[_candidate(link) for link in decision.candidates],
    )


def _masked(action: Action) -> dict[str, Any]:
    shown = action_json(action)
    if isinstance(action, Dial):
        shown["targets"] = [mask_phone(target) for target in action.targets]
        shown["caller_id"] = mask_phone(action.caller_id)
    return shown


def _candidate(link: Link) -> Candidate:
    return Candidate(
        order_id=link.binding.order_id,
        role=link.role,
        order_status=link.binding.order_status,
        revision=link.binding.revision,
        opens_at=link.window.opens_at,
        closes_at=link.window.closes_at,
        allowed=link.window.allowed,
    )
