"""The memory of calls under way: what each was answered at each step. Bounded; the longest untouched go first."""

from collections import OrderedDict
from collections.abc import Iterator
from datetime import datetime

from call_router.ports import Answered, CallMemory, Heard


class CallsMemory:
    """Calls by id, at most `most` of them."""

    def __init__(self, most: int = 50_000) -> None:
        self._most = most
        self._calls: OrderedDict[str, CallMemory] = OrderedDict()

    def of(self, call_id: str) -> CallMemory:
        """Return the memory of a call, made when first asked for."""
        call = self._calls.get(call_id)
        if call is None:
            call = self._calls[call_id] = CallMemory(call_id)
            if len(self._calls) > self._most:
                self._calls.popitem(last=False)
        else:
            self._calls.move_to_end(call_id)
        return call

    def since(self, moment: datetime, at_once: int) -> Iterator[list[tuple[str, Heard]]]:
        """Yield what another process would have to know of the calls that were answered since `moment`, by call id."""
        calls = list(self._calls.values())
        for start in range(0, len(calls), at_once):
            lasts = ((call.call_id, _last(call)) for call in calls[start : start + at_once])
            yield [(call_id, heard) for call_id, heard in lasts if heard is not None and heard.decided_at >= moment]


def _last(call: CallMemory) -> Heard | None:
    return call.foreign or (None if call.last is None else _as_heard(call.last))


def _as_heard(answered: Answered) -> Heard:
    decision = answered.decision
    return Heard(
        step=answered.question.so_far.step,
        decided_at=answered.decided_at,
        action=decision.actions[-1],
        tenant=decision.tenant,
        order_id=None if decision.link is None else decision.link.binding.order_id,
    )
