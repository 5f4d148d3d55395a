"""Call events, from the domain's values to the JSON and headers of `fareline.calls.v1`.

Written with msgspec, for this is the hot path; tests read every shape back with the contracts' models.
"""

from datetime import datetime, timedelta
from typing import Any

import msgspec

from call_router.domain.actions import Dial
from call_router.domain.decisions import Decision
from call_router.domain.identity import event_id_of
from call_router.domain.reports import Ended, Progress, RecordingReady, Report
from call_router.domain.values import Value
from call_router.ports import Answered, CallMemory
from call_router.records.actions import action_json
from fareline_contracts.calls import CALL_ENDED_TYPE, CALL_PROGRESS_TYPE, CALL_ROUTED_TYPE, RECORDING_READY_TYPE
from fareline_contracts.cloudevents import EventHead, Headers, to_headers
from fareline_contracts.topics import CALLS

_JSON = msgspec.json.Encoder()
_LONGEST_TEXT = 256


class EventRecord(Value, frozen=True):
    """A call event as Kafka gets it; `key` is the call's id."""

    topic: str
    key: bytes
    value: bytes
    headers: Headers

    @property
    def kind(self) -> str:
        """Its `ce_type`."""
        return next((value.decode() for name, value in self.headers if name == "ce_type"), "")


class CallEvents:
    """Makes the events of one router; `source` names it."""

    def __init__(self, source: str) -> None:
        self._source = source

    def routed(self, answered: Answered, *, account: str, trace: str | None) -> EventRecord:
        """Return the event of a question and its answer, the decision in full."""
        question, decision = answered.question, answered.decision
        step = question.so_far.step
        value = {
            "call_id": answered.call_id,
            "account": account,
            "pbx_call_id": question.pbx_call_id,
            "tenant": decision.tenant,
            "at": question.at,
            "received_at": answered.decided_at - answered.took,
            "step": step,
            "question": question.kind,
            "caller": decision.caller,
            "number": (decision.number or question.number)[:_LONGEST_TEXT],
            "dial_result": question.result,
            "decision": _decision(answered, decision),
        }
        return self._event(
            CALL_ROUTED_TYPE, answered.call_id, f"step:{step}", at=answered.decided_at, value=value, trace=trace
        )

    def reported(self, report: Report, call: CallMemory, *, account: str, received_at: datetime) -> EventRecord:
        """Return the event of a report."""
        head = {
            "call_id": call.call_id,
            "account": account,
            "pbx_call_id": report.pbx_call_id,
            "tenant": call.tenant,
            "at": report.at,
            "received_at": received_at,
        }
        kind, fields = _report(report)
        return self._event(kind, call.call_id, report.step, at=received_at, value=head | fields, trace=call.trace)

    def _event(
        self, kind: str, call_id: str, step: str, *, at: datetime, value: dict[str, Any], trace: str | None
    ) -> EventRecord:
        head = EventHead(
            id=event_id_of(call_id, step),
            source=self._source,
            type=kind,
            time=at,
            subject=call_id,
            traceparent=trace,
        )
        return EventRecord(CALLS.name, call_id.encode(), _JSON.encode(value), to_headers(head))


def _decision(answered: Answered, decision: Decision) -> dict[str, Any]:
    last = decision.actions[-1]
    return {
        "decision_id": answered.decision_id,
        "reason": decision.reason,
        "source": decision.source,
        "data_age_s": _seconds(decision.age),
        "took_ms": round(answered.took.total_seconds() * 1000, 3),
        "actions": [action_json(action) for action in decision.actions],
        **_order(decision),
        "also_order_ids": decision.also,
        "recorded": isinstance(last, Dial) and last.record != "off",
        "wrong_code": decision.wrong_code is not None,
        "caller_known": None if decision.tenant is None else bool(decision.candidates),
        "rules": decision.rules,
    }


def _order(decision: Decision) -> dict[str, Any]:
    if decision.link is None:
        return {"direction": decision.direction}
    binding = decision.link.binding
    return {
        "order_id": binding.order_id,
        "revision": binding.revision,
        "order_version": binding.order_version,
        "order_status": binding.order_status,
        "status_changed_at": binding.status_changed_at,
        "direction": decision.direction,
        "driver_id": binding.driver.id,
        "client_id": binding.client.id,
    }


def _report(report: Report) -> tuple[str, dict[str, Any]]:
    match report:
        case Progress():
            return CALL_PROGRESS_TYPE, {"state": report.state, "leg": report.leg}
        case Ended():
            return CALL_ENDED_TYPE, _ended(report)
        case RecordingReady():
            return RECORDING_READY_TYPE, {
                "recording_id": report.recording_id,
                "part": report.part,
                "channels": report.channels,
                "url": report.url,
            }


def _ended(report: Ended) -> dict[str, Any]:
    return {
        "disposition": report.disposition,
        "cause": report.cause,
        "hangup_by": report.hangup_by,
        "started_at": report.started_at,
        "ringing_at": report.ringing_at,
        "answered_at": report.answered_at,
        "bridged_at": report.bridged_at,
        "ended_at": report.ended_at,
        "duration_s": _seconds(report.duration),
        "announced": report.announced,
        "recorded": report.recorded,
        "line": report.line,
        "raw_disposition": report.raw_disposition,
    }


def _seconds(time: timedelta | None) -> float | None:
    return None if time is None else time.total_seconds()
