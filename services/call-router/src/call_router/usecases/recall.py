"""Remember what happened elsewhere or before a restart, as the call topic tells it.

Routers share nothing else: a call that comes back to another one, a limit, a call to be returned are known by this.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from call_router.domain.actions import Action, Dial
from call_router.domain.bindings import Binding, Direction, Role
from call_router.domain.calls import Attempt, QuestionKind, WrongCode
from call_router.domain.decisions import Reason
from call_router.domain.reports import Report
from call_router.domain.values import Value
from call_router.domain.view import View
from call_router.ports import Heard, Memory
from call_router.usecases.learn import learn

_OF_NOBODY = frozenset({Reason.STAFF.value})
_NOT_HIS_OWN_PHONE = frozenset({Reason.EXTENSION_UNKNOWN_CALLER.value, Reason.STAFF.value})


class PastAnswer(Value, frozen=True):
    """An answer that some router gave; `action` is what the call was finally told to do."""

    call_id: str
    step: int
    question: str
    asked_at: datetime
    decided_at: datetime
    tenant: str | None
    number: str
    caller: str | None
    reason: str
    action: Action
    order_id: str | None
    direction: Direction | None
    driver_id: str | None
    client_id: str | None
    wrong_code: bool
    caller_known: bool


class PastReport(Value, frozen=True):
    """A report that some router took down."""

    call_id: str
    report: Report


@dataclass(frozen=True, slots=True)
class Recall:
    """Take past events into the memory of calls; each may come any number of times, in nearly any order."""

    memory: Memory
    view: Callable[[], View]

    def __call__(self, past: PastAnswer | PastReport) -> None:
        """Remember one event."""
        call = self.memory.calls.of(past.call_id)
        if isinstance(past, PastReport):
            learn(past.report, call, self.memory)
            return
        if call.heard is None or call.heard.step < past.step:
            call.heard = Heard(past.step, past.decided_at, past.action, past.tenant, past.order_id)
        if past.question == QuestionKind.DIALED:
            self.memory.recent.unanswered(past.call_id, None)
        if past.tenant is not None and past.wrong_code:
            wrong = WrongCode(past.tenant, past.caller, past.number, past.caller_known, past.asked_at)
            self.memory.recent.wrong_code(past.call_id, past.step, wrong)
        if isinstance(past.action, Dial) and past.reason not in _OF_NOBODY:
            self._dialled(past, past.action)

    def _dialled(self, past: PastAnswer, dial: Dial) -> None:
        if past.tenant is None or past.order_id is None or past.direction is None:
            return
        role = past.direction.caller
        if past.caller is not None and past.reason not in _NOT_HIS_OWN_PHONE:
            self.memory.recent.called_from(past.tenant, past.order_id, role, past.caller)
        if past.question == QuestionKind.DIALED:
            return  # the second phone of an attempt that was counted with the first
        binding = self.view().bindings.get(past.tenant, past.order_id)
        ids = {Role.DRIVER: past.driver_id, Role.CLIENT: past.client_id}
        attempt = Attempt(
            tenant=past.tenant,
            order_id=past.order_id,
            from_person=_person(role, ids[role], binding, past.caller or ""),
            to_person=_person(role.other, ids[role.other], binding, dial.targets[0]),
            caller=past.caller,
            at=past.decided_at,
            gives_up_at=past.decided_at + timedelta(seconds=dial.ring_timeout_s * len(dial.targets)),
        )
        self.memory.recent.dialled(past.call_id, past.step, attempt)


def _person(role: Role, person_id: str | None, binding: Binding | None, phone: str) -> str:
    """Return who stood on a side then, named as `Binding.person` names him."""
    if person_id is not None:
        return f"{role}/{person_id}"
    if binding is not None and binding.party(role).id is None and phone in binding.party(role).phones:
        return binding.person(role)
    return f"{role}/{phone}"
