"""Where a call goes: `route` tries the rules in their order, and the first that fits decides.

0 normalise        phones.py        4 which order?      choose.py
1 number           number.py        5 nobody found      nobody.py
2 digits typed     digits.py        6 before dialling   dialling.py
3 caller known     candidates.py    7 dial result       dialled.py
"""

from datetime import datetime

from call_router.domain.actions import Fallback, Hangup
from call_router.domain.bindings import Link
from call_router.domain.calls import Question, QuestionKind
from call_router.domain.candidates import known_caller
from call_router.domain.case import Case
from call_router.domain.decisions import Decision, Explanation, Reason, Source, Verdict
from call_router.domain.dialled import dial_result
from call_router.domain.digits import typed_code
from call_router.domain.fallback import fallback
from call_router.domain.nobody import nobody_found
from call_router.domain.number import open_case, special_call
from call_router.domain.values import replace
from call_router.domain.view import View

MOST_STEPS = 6


def route(question: Question, view: View, now: datetime) -> Decision:
    """Return the decision on `question` as `view` stands at `now`. Pure, and defined for every input."""
    told = Explanation()
    case = open_case(question, view, now, told)
    if isinstance(case, Verdict):
        return _decision(case, told, question)
    verdict = _out_of_bounds(case) or _by_rules(case)
    decided = _decision(verdict, told, question)
    link = verdict.link or _last_dialled(case)
    return replace(
        decided,
        tenant=case.tenant.name,
        number=case.number.e164,
        caller=case.caller,
        link=link,
        direction=link.role.calls if link else decided.direction,
        candidates=case.mine,
    )


def without_data(question: Question, reason: Reason) -> Decision:
    """Return the account's default route, for when not even the rules can be asked."""
    return Decision(reason, (Fallback(question.account.default_route),), rules=(), source=Source.DEFAULT)


def _by_rules(case: Case) -> Verdict:
    if case.question.kind is QuestionKind.DIALED:
        return dial_result(case)
    return special_call(case) or typed_code(case) or known_caller(case) or nobody_found(case)


def _out_of_bounds(case: Case) -> Verdict | None:
    """End calls that have come back from the fallback, or gone on for too many steps (rule 7)."""
    if case.so_far.fell_back:
        case.told.fits("7", "the call came back from the fallback")
        return Verdict(Reason.FALLBACK_RETURNED, (Hangup(),))
    if case.so_far.step > MOST_STEPS:
        case.told.fits("7", f"more than {MOST_STEPS} steps in one call")
        return fallback(case, Reason.STEP_LIMIT)
    return None


def _last_dialled(case: Case) -> Link | None:
    """Return the order that the call was last dialled for, so that the result of the dial names it too."""
    so_far = case.so_far
    if case.question.kind is not QuestionKind.DIALED or so_far.order_id is None or so_far.direction is None:
        return None
    binding = case.view.bindings.get(case.tenant.name, so_far.order_id)
    return None if binding is None else Link(binding, so_far.direction.caller)


def _decision(verdict: Verdict, told: Explanation, question: Question) -> Decision:
    return Decision(
        reason=verdict.reason,
        actions=verdict.actions,
        rules=tuple(told.rules),
        direction=question.so_far.direction if question.kind is QuestionKind.DIALED else None,
        link=verdict.link,
        also=verdict.also,
        attempt=verdict.attempt,
        wrong_code=verdict.wrong_code,
    )
