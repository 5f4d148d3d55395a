"""Answer a PBX's question: where should this call go?"""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from functools import partial

from call_router.domain.actions import Dial, Hangup
from call_router.domain.calls import Question, QuestionKind
from call_router.domain.decisions import Decision, Reason
from call_router.domain.identity import call_id_of
from call_router.domain.route import without_data
from call_router.domain.values import replace
from call_router.ports import (
    Answered,
    CallMemory,
    Journal,
    JournalRefused,
    Memory,
    PbxAdapter,
    Played,
    Restarted,
)
from call_router.usecases.decide import Decide
from call_router.usecases.resume import as_unanswered, came_back, resume

_COMES_BACK_EARLY = timedelta(seconds=1)


class AnswerQuestion:
    """Decide, remember, write down, answer. The same question of the same step gets the same answer again."""

    def __init__(
        self,
        decide: Decide,
        memory: Memory,
        journal: Journal,
        clock: Callable[[], datetime],
        *,
        on_trouble: Callable[[str, Exception], None],
    ) -> None:
        """Set up; `on_trouble` hears what went wrong while the caller got his answer all the same, and the error."""
        self._decide = decide
        self._calls = memory.calls
        self._recent = memory.recent
        self._journal = journal
        self._clock = clock
        self._on_trouble = on_trouble
        self._under_way: dict[tuple[str, int], asyncio.Future[Answered]] = {}

    async def __call__(
        self, asked: Question | Restarted | Played, adapter: PbxAdapter, *, overloaded: bool = False
    ) -> Answered:
        """Return the answer to `asked` as `adapter` can carry it out. Never fails for want of data.

        While `overloaded` what was not answered before gets the account's default route, without a look at the rules.
        """
        question = asked if isinstance(asked, Question) else asked.question
        call = self._calls.of(call_id_of(question.account.name, question.pbx_call_id))
        if isinstance(asked, Played):
            return self._after_plays(question, call)
        if isinstance(asked, Restarted):
            meant = came_back(question, call, self._clock())
            if isinstance(meant, Answered):
                return replace(meant, repeated=True)
            question = meant
        question = resume(question, call)
        answer = (
            partial(self._turn_away, question, call)
            if overloaded
            else partial(self._first_time, question, call, adapter, asked)
        )
        return await self._once(question, call, answer)

    async def _once(self, question: Question, call: CallMemory, answer: Callable[[], Awaitable[Answered]]) -> Answered:
        """Answer one step of a call once, however often and however many at a time ask it."""
        step = question.so_far.step
        known = call.answers.get(step)
        if known is not None:
            return replace(known, repeated=True)
        key = (call.call_id, step)
        if key in self._under_way:
            return replace(await asyncio.shield(self._under_way[key]), repeated=True)
        future = self._under_way[key] = asyncio.get_running_loop().create_future()
        try:
            answered = await answer()
            future.set_result(answered)
        finally:
            del self._under_way[key]
            future.cancel()
        return answered

    async def _first_time(
        self, question: Question, call: CallMemory, adapter: PbxAdapter, asked: Question | Restarted | Played
    ) -> Answered:
        begun = self._clock()
        try:
            decision = await self._decide(question)
            if isinstance(asked, Restarted) and _came_back_unnoticed(asked, question, decision, begun):
                dial = decision.actions[-1]
                assert isinstance(dial, Dial)
                question = resume(as_unanswered(question, dial), call)
                decision = await self._decide(question)
            decision = adapter.fit(question, decision)
        except Exception as error:  # noqa: BLE001 - a caller must reach somebody whatever is broken in here
            self._on_trouble("decide", error)
            decision = without_data(question, Reason.INTERNAL_ERROR)
        return await self._noted(question, call, decision, begun)

    async def _turn_away(self, question: Question, call: CallMemory) -> Answered:
        return await self._noted(question, call, without_data(question, Reason.OVERLOADED), self._clock())

    async def _noted(self, question: Question, call: CallMemory, decision: Decision, begun: datetime) -> Answered:
        """Remember an answer and bring it to the journal, in vain if need be."""
        now = self._clock()
        answered = Answered(call.call_id, question, decision, decided_at=now, took=now - begun)
        call.answers[question.so_far.step] = answered
        self._remember(answered)
        try:
            await self._journal.answered(answered, account=question.account.name, trace=call.trace)
        except JournalRefused as error:
            self._on_trouble("journal", error)
        return answered

    def _remember(self, answered: Answered) -> None:
        """Keep what later calls are decided by."""
        question, decision = answered.question, answered.decision
        step = question.so_far.step
        if question.kind is QuestionKind.DIALED:
            self._recent.unanswered(answered.call_id, question.ring)
        if decision.wrong_code is not None:
            self._recent.wrong_code(answered.call_id, step, decision.wrong_code)
        if decision.attempt is None or decision.link is None:
            return
        self._recent.dialled(answered.call_id, step, decision.attempt)
        link = decision.link
        if decision.caller is not None and decision.caller in link.caller.phones:
            self._recent.called_from(link.binding.tenant, link.binding.order_id, link.role, decision.caller)

    def _after_plays(self, question: Question, call: CallMemory) -> Answered:
        """Return what remains of the last answer after its prompts; hang up where nothing is remembered."""
        last, now = call.last, self._clock()
        if last is None:
            gone = replace(without_data(question, Reason.UNANSWERED), actions=(Hangup(),))
            return Answered(call.call_id, question, gone, now, timedelta(0), repeated=True)
        rest = replace(last.decision, actions=last.decision.actions[-1:])
        return replace(last, decision=rest, repeated=True)


def _came_back_unnoticed(asked: Restarted, question: Question, decision: Decision, now: datetime) -> bool:
    """Whether a call that this process never saw is so old already that its dial must have come back."""
    dial = decision.actions[-1]
    if question.kind is not QuestionKind.STARTED or asked.started_at is None or not isinstance(dial, Dial):
        return False
    return now - asked.started_at >= timedelta(seconds=dial.ring_timeout_s) - _COMES_BACK_EARLY
