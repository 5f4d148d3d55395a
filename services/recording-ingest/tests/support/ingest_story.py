"""Call events for tests: the data of records as call-router writes them, and the domain's events made of them."""

from datetime import UTC, datetime, timedelta
from typing import Any

from recording_ingest.domain.events import CallEvent, event_from

START = datetime(2026, 11, 24, 10, 0, tzinfo=UTC)
KINDS = {
    "call.routed": "fareline.call.routed.v1",
    "call.progress": "fareline.call.progress.v1",
    "call.ended": "fareline.call.ended.v1",
    "recording.ready": "fareline.recording.ready.v1",
}
Told = tuple[str, str, dict[str, Any]]
"""Kind, ce_id, data."""


def at(seconds: float) -> str:
    return (START + timedelta(seconds=seconds)).isoformat()


def head(seconds: float, call_id: str = "c-1", **more: Any) -> dict[str, Any]:
    return {
        "call_id": call_id,
        "account": "demo-generic",
        "pbx_call_id": f"pbx-{call_id}",
        "tenant": "demo",
        "at": at(seconds),
        "received_at": at(seconds + 0.02),
        **more,
    }


def dial(target: str = "+79261234567", record: str = "dual") -> dict[str, Any]:
    return {
        "do": "dial",
        "targets": [target],
        "caller_id": "+74950000101",
        "ring_timeout_s": 30,
        "max_duration_s": 1200,
        "record": record,
    }


def routed(
    seconds: float = 0,
    *,
    step: int = 1,
    call_id: str = "c-1",
    actions: list[dict[str, Any]] | None = None,
    order_id: str | None = "o-1001",
    reason: str = "pair",
    question: str = "call.started",
    dial_result: str | None = None,
    status: str = "accepted",
    tenant: str = "demo",
    caller: str | None = "+79031112233",
) -> Told:
    actions = actions or [dial()]
    decision = {
        "decision_id": f"{call_id}-{step}",
        "reason": reason,
        "source": "replica",
        "data_age_s": 0.5,
        "took_ms": 0.3,
        "actions": actions,
        "order_id": order_id,
        "revision": 7,
        "order_version": 3,
        "order_status": status if order_id else None,
        "direction": "driver_to_client" if order_id else None,
        "driver_id": "d-5" if order_id else None,
        "client_id": "c-77" if order_id else None,
        "recorded": actions[-1].get("record", "off") != "off",
        "rules": [{"rule": "3", "outcome": "fits", "why": "one order was lent this number"}],
    }
    data = head(seconds, call_id, tenant=tenant, step=step, question=question, caller=caller)
    return (
        "call.routed",
        f"{call_id}/{step}",
        {**data, "number": "+74950000101", "dial_result": dial_result, "decision": decision},
    )


def progress(seconds: float, state: str, *, call_id: str = "c-1", leg: str | None = "201") -> Told:
    return "call.progress", f"{call_id}/{state}/{leg}", head(seconds, call_id, state=state, leg=leg)


def ended(seconds: float = 60, *, call_id: str = "c-1", disposition: str = "answered", **more: Any) -> Told:
    times = {"started_at": at(0), "ended_at": at(seconds)}
    return "call.ended", f"{call_id}/ended", head(seconds, call_id, disposition=disposition, **{**times, **more})


def ready(
    seconds: float = 65, *, call_id: str = "c-1", source_id: str = "rec-1", url: str | None = None, **more: Any
) -> Told:
    return (
        "recording.ready",
        f"{call_id}/{source_id}",
        head(seconds, call_id, recording_id=source_id, url=url, **more),
    )


def answered_call(call_id: str = "c-1", url: str | None = None) -> list[Told]:
    """A driver's call: 7 s to the bridge, 51 s of talk, one recording."""
    return [
        routed(0, call_id=call_id),
        progress(2, "ringing", call_id=call_id),
        progress(9, "bridged", call_id=call_id),
        ended(60, call_id=call_id, bridged_at=at(9), ringing_at=at(2), hangup_by="caller", cause=16, line="201"),
        ready(65, call_id=call_id, url=url),
    ]


def events(told: list[Told]) -> list[CallEvent]:
    return [event_from(*one) for one in told]
