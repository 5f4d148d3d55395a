"""Decide a question on the replica, and ask order-binder where the replica may not know."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from call_router.domain.calls import Question, QuestionKind
from call_router.domain.decisions import Decision, Reason, Source
from call_router.domain.route import route
from call_router.domain.values import replace
from call_router.ports import Binder, DataState, Found, Replica, Wanted

_MOST_TENANTS_ASKED = 4
_NOTHING_TO_LEARN = frozenset({Reason.DESK, Reason.LOOP, Reason.EMERGENCY, Reason.STEP_LIMIT})
_NOBODY_FOUND = frozenset({Reason.UNKNOWN_NUMBER, Reason.UNKNOWN_CALLER, Reason.WINDOW_CLOSED, Reason.WRONG_CODE})
_SHORTEST_CODE, _LONGEST_CODE = 4, 10


class Samples(Protocol):
    """Who compares some answers with order-binder, afterwards."""

    def due(self) -> bool:
        """Whether the answer just given is one to compare; counts it."""
        ...

    def offer(self, wanted: Wanted) -> None:
        """Compare this one when there is time."""
        ...


@dataclass(frozen=True, slots=True)
class Decide:
    """`route`, with order-binder's knowledge taken in first where the answer might be better for it.

    While `may_ask` says no, the replica's own result stands. `samples` hears of questions that nobody had to ask.
    """

    replica: Replica
    state: DataState
    binder: Binder
    clock: Callable[[], datetime]
    may_ask: Callable[[], bool] = lambda: True
    samples: Samples | None = None

    async def __call__(self, question: Question) -> Decision:
        """Return the decision, saying whose data it rests on and how old that is."""
        decision = route(question, self.replica.view, self.clock())
        source = Source.DEFAULT if decision.tenant is None else Source.REPLICA
        wanted = self._wanted(question, decision) if self._unsure(decision) else None
        if wanted is None and self.samples is not None and self.samples.due():
            self._sample(question, decision)
        found = await self.binder.find(wanted) if wanted is not None and self.may_ask() else None
        if found is not None:
            self._learn(found)
            decision = route(question, self.replica.view, self.clock())
            source = Source.BINDER
        return replace(decision, source=source, age=self.state.age(self.clock()))

    def _wanted(self, question: Question, decision: Decision) -> Wanted | None:
        """Return what to ask order-binder, None where its answer could change nothing."""
        if question.kind is QuestionKind.DIALED or decision.reason in _NOTHING_TO_LEARN:
            return None
        region, read = question.account.region, self.replica.view.phones
        number = decision.number or read(question.number, region)
        phone = decision.caller or read(question.caller, region)
        digits = question.digits.strip("#* ")
        code = digits if digits.isdecimal() and _SHORTEST_CODE <= len(digits) <= _LONGEST_CODE else None
        if number is None:
            return None
        tenants = (decision.tenant,) if decision.tenant else tuple(sorted(question.account.tenants))
        return Wanted(tenants[:_MOST_TENANTS_ASKED], number, phone, code)

    def _sample(self, question: Question, decision: Decision) -> None:
        wanted = self._wanted(question, decision)
        if wanted is not None and self.samples is not None:
            self.samples.offer(wanted)

    def _unsure(self, decision: Decision) -> bool:
        if self.state.unsure or decision.reason in _NOBODY_FOUND or decision.wrong_code is not None:
            return True
        return decision.tenant is not None and self.replica.view.inventory.tenant(decision.tenant) is None

    def _learn(self, found: Found) -> None:
        """Take order-binder's answer into the replica, where the higher revision of each record wins."""
        if found.tenant is not None:
            self.replica.put_tenant(found.tenant)
        if found.number is not None:
            self.replica.put_number(found.number)
        for binding in found.bindings:
            self.replica.put_binding(binding)
