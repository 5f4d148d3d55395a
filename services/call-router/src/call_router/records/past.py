"""Call events read back from `fareline.calls.v1`, as far as later calls are decided by them."""

from datetime import datetime, timedelta
from typing import Any

import msgspec

from call_router.domain.bindings import Direction
from call_router.domain.reports import Ended, Progress
from call_router.records.actions import action_of
from call_router.records.bindings import Unreadable
from call_router.usecases.recall import PastAnswer, PastReport
from fareline_contracts.calls import CALL_ENDED_TYPE, CALL_PROGRESS_TYPE, CALL_ROUTED_TYPE

_DIRECTIONS = {direction.value: direction for direction in Direction}


class _Decision(msgspec.Struct, frozen=True, gc=False):
    reason: str
    actions: tuple[dict[str, Any], ...]
    took_ms: float | None = None
    order_id: str | None = None
    direction: str | None = None
    driver_id: str | None = None
    client_id: str | None = None
    wrong_code: bool = False
    caller_known: bool | None = None


class _Routed(msgspec.Struct, frozen=True, gc=False):
    call_id: str
    received_at: datetime
    step: int
    question: str
    number: str
    decision: _Decision
    tenant: str | None = None
    caller: str | None = None


class _Progress(msgspec.Struct, frozen=True, gc=False):
    call_id: str
    pbx_call_id: str
    at: datetime
    state: str


class _Ended(msgspec.Struct, frozen=True, gc=False):
    call_id: str
    pbx_call_id: str
    at: datetime
    disposition: str
    ringing_at: datetime | None = None
    ended_at: datetime | None = None


_ROUTED = msgspec.json.Decoder(_Routed)
_PROGRESS = msgspec.json.Decoder(_Progress)
_ENDED = msgspec.json.Decoder(_Ended)


def read_past(kind: str, value: bytes) -> PastAnswer | PastReport | None:
    """Return the event of `kind` (its `ce_type`), None for one that no call is decided by; raises Unreadable."""
    try:
        match kind:
            case _ if kind == CALL_ROUTED_TYPE:
                return _answer(_ROUTED.decode(value))
            case _ if kind == CALL_PROGRESS_TYPE:
                one = _PROGRESS.decode(value)
                return PastReport(one.call_id, Progress(one.pbx_call_id, one.at, one.state))
            case _ if kind == CALL_ENDED_TYPE:
                return _end(_ENDED.decode(value))
            case _:
                return None
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        raise Unreadable("not a call event") from error


def _answer(found: _Routed) -> PastAnswer | None:
    decision = found.decision
    action = action_of(decision.actions[-1]) if decision.actions else None
    if action is None:
        return None
    return PastAnswer(
        call_id=found.call_id,
        step=found.step,
        question=found.question,
        asked_at=found.received_at,
        decided_at=found.received_at + timedelta(milliseconds=decision.took_ms or 0),
        tenant=found.tenant,
        number=found.number,
        caller=found.caller,
        reason=decision.reason,
        action=action,
        order_id=decision.order_id,
        direction=_DIRECTIONS.get(decision.direction or ""),
        driver_id=decision.driver_id,
        client_id=decision.client_id,
        wrong_code=decision.wrong_code,
        caller_known=bool(decision.caller_known),
    )


def _end(found: _Ended) -> PastReport:
    report = Ended(
        pbx_call_id=found.pbx_call_id,
        at=found.at,
        disposition=found.disposition,
        ringing_at=found.ringing_at,
        ended_at=found.ended_at,
    )
    return PastReport(found.call_id, report)
