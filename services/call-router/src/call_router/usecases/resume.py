"""Find where in its call a question stands: which step it is, and what was answered before."""

from datetime import datetime, timedelta

from call_router.domain.actions import Ask, Dial, Fallback
from call_router.domain.calls import CallSoFar, DialResult, Question, QuestionKind
from call_router.domain.context import read_context
from call_router.domain.values import replace
from call_router.ports import Answered, CallMemory, Heard

MOST_REMEMBERED_STEPS = 100
_COMES_BACK_EARLY = timedelta(seconds=1)
_REPEATS_WITHIN = timedelta(seconds=5)


def resume(question: Question, call: CallMemory) -> Question:
    """Return the question with its step and the call so far, from memory or else from what the PBX carried."""
    if question.kind is QuestionKind.STARTED:
        return replace(question, so_far=CallSoFar())
    carried = read_context(question.context)
    foreign = call.foreign
    if foreign is not None and (carried is None or carried.step > foreign.step):
        return replace(question, so_far=_heard(foreign))
    step = carried.step if carried is not None else _next_step(question, call)
    before = [answered for number, answered in call.answers.items() if number < step]
    if not before:
        return replace(question, so_far=carried or CallSoFar(step=step))
    return replace(question, so_far=_remembered(before, step))


def came_back(question: Question, call: CallMemory, now: datetime) -> Question | Answered:
    """Return what a PBX means that shows a call as new: a dial that came back, a repetition, or indeed a new call.

    The repetition is given as the answer to repeat; a call is never answered twice with the same dial.
    """
    foreign, last = call.foreign, call.last
    if foreign is not None:
        return _came_back_from_elsewhere(question, foreign, now - foreign.decided_at)
    if last is None:
        return question
    action, age = last.decision.actions[-1], now - last.decided_at
    if isinstance(action, Dial):
        rings = timedelta(seconds=action.ring_timeout_s) - _COMES_BACK_EARLY
        return as_unanswered(question, action) if age >= rings else last
    if isinstance(action, Fallback) and age >= _REPEATS_WITHIN:
        return replace(question, kind=QuestionKind.DIALED, result=DialResult.FAILED)
    dialled = any(isinstance(answer.decision.actions[-1], Dial) for answer in call.answers.values())
    return last if dialled or isinstance(action, Fallback) else question


def _came_back_from_elsewhere(question: Question, heard: Heard, age: timedelta) -> Question:
    """Judge by what is heard of the call. Within the ring time it is asked again, and gets what the same data gives."""
    action = heard.action
    if isinstance(action, Dial) and age >= timedelta(seconds=action.ring_timeout_s) - _COMES_BACK_EARLY:
        return as_unanswered(question, action)
    if isinstance(action, Fallback) and age >= _REPEATS_WITHIN:
        return replace(question, kind=QuestionKind.DIALED, result=DialResult.FAILED)
    return question


def as_unanswered(question: Question, dial: Dial) -> Question:
    """Return the question that a PBX with more words would have asked after a dial that nobody answered.

    It has rung the first target only, for such a PBX does one thing at a time.
    """
    return replace(
        question,
        kind=QuestionKind.DIALED,
        result=DialResult.NO_ANSWER,
        context=dial.context,
        targets_left=dial.targets[1:],
    )


def _next_step(question: Question, call: CallMemory) -> int:
    """Return the step of a question whose context was lost: the last one if it is the same again, else the next."""
    last = call.last
    if last is None:
        return 2
    asked = last.question
    same = (asked.kind, asked.digits, asked.result, asked.at) == (
        question.kind,
        question.digits,
        question.result,
        question.at,
    )
    return min(asked.so_far.step + (not same), MOST_REMEMBERED_STEPS)


def _heard(heard: Heard) -> CallSoFar:
    """Return the call so far as another router left it."""
    action = heard.action
    carried = read_context(action.context) if isinstance(action, Ask | Dial) else None
    so_far = carried or CallSoFar(step=min(heard.step + 1, MOST_REMEMBERED_STEPS))
    return replace(so_far, order_id=heard.order_id, fell_back=isinstance(action, Fallback))


def _remembered(before: list[Answered], step: int) -> CallSoFar:
    last = max(before, key=lambda answered: answered.question.so_far.step)
    action = last.decision.actions[-1]
    so_far = read_context(action.context) if isinstance(action, Ask | Dial) else None
    dials = [answered for answered in before if isinstance(answered.decision.actions[-1], Dial)]
    dialled = max(dials, key=lambda answered: answered.question.so_far.step).decision.link if dials else None
    return replace(
        so_far or last.question.so_far,
        step=step,
        order_id=None if dialled is None else dialled.binding.order_id,
        fell_back=isinstance(action, Fallback),
    )
