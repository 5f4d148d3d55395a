"""What the HTTP interface says of calls in lists and sums."""

from datetime import datetime
from typing import Any

from pydantic import BaseModel, ConfigDict
from pydantic.config import JsonDict

from recording_ingest.domain.search import Listed
from recording_ingest.inbound.shown import Shown

CALL_EXAMPLE: JsonDict = {
    "call_id": "b6c2", "account": "demo-zadarma", "pbx_call_id": "in_ae6b03b3", "tenant": "demo",
    "row_state": "complete", "number": "+74950000101", "caller": "+7***2233", "started_at": "2026-11-24T10:00:02Z",
    "deed": "dial", "reason": "pair", "last_deed": "dial", "last_reason": "pair", "source": "replica",
    "direction": "driver_to_client", "decided_at": "2026-11-24T10:00:02.010Z", "decision_ms": 0.4, "data_age_s": 0.8,
    "binding_revision": 1764000000123456, "order_id": "o-1001", "order_version": 3, "order_status": "accepted",
    "driver_id": "d-5", "client_id": "c-77", "target": "+7***4567", "target_index": 0, "dials": 1, "steps": 1,
    "ringing_at": None, "answered_at": None, "bridged_at": "2026-11-24T10:00:09Z", "ended_at": "2026-11-24T10:01:00Z",
    "ring_s": None, "talk_s": 51.0, "total_s": 58.0, "disposition": "answered", "cause": 16, "hangup_by": "caller",
    "announced": None, "line": "203", "recording_due": True, "recording": "stored",
    "updated_at": "2026-11-24T10:01:31Z",
}  # fmt: skip


class CallOut(BaseModel):
    """One call. Times are UTC, durations seconds; null is "not known (yet)".

    `row_state` is `partial` until both a decision and the end are known. `recording` is the worst state of the call's
    parts: `missing expected ready stored`, null where none is due.
    """

    model_config = ConfigDict(json_schema_extra={"examples": [CALL_EXAMPLE]})

    call_id: str
    account: str
    pbx_call_id: str
    tenant: str | None
    row_state: str
    number: str | None
    caller: str | None
    started_at: datetime
    deed: str | None
    reason: str | None
    last_deed: str | None
    last_reason: str | None
    source: str | None
    direction: str | None
    decided_at: datetime | None
    decision_ms: float | None
    data_age_s: float | None
    binding_revision: int | None
    order_id: str | None
    order_version: int | None
    order_status: str | None
    driver_id: str | None
    client_id: str | None
    target: str | None
    target_index: int | None
    dials: int
    steps: int
    ringing_at: datetime | None
    answered_at: datetime | None
    bridged_at: datetime | None
    ended_at: datetime | None
    ring_s: float | None
    talk_s: float | None
    total_s: float | None
    disposition: str | None
    cause: int | None
    hangup_by: str | None
    announced: bool | None
    line: str | None
    recording_due: bool
    recording: str | None
    updated_at: datetime


class CallsOut(BaseModel):
    """A page of calls, newest first. `next` is the `cursor` of the next page, null on the last."""

    calls: list[CallOut]
    next: str | None = None


class OrderCallOut(CallOut):
    """A call of an order. `attempt` counts the calls of its direction while the order stood in that status, from 1."""

    attempt: int


class OrderCallsOut(BaseModel):
    """Everything that was tried for an order, oldest first."""

    calls: list[OrderCallOut]


class MeasuresOut(BaseModel):
    """The measures of one group of calls, as the views in schema `analytics` define them. Times are seconds.

    `answer_rate` is answered ÷ ended, `fallback_rate` fallbacks ÷ attempts, `recording_coverage` stored ÷ (stored +
    missing); null where there is nothing to divide by.
    """

    key: str | None
    attempts: int
    ended: int
    answered: int
    answer_rate: float | None
    talk_s: float
    talk_s_mean: float | None
    answer_s_p50: float | None
    answer_s_p90: float | None
    fallbacks: int
    fallback_rate: float | None
    recordings_due: int
    recordings_stored: int
    recordings_missing: int
    recording_coverage: float | None


class StatsOut(BaseModel):
    """Measures by group; `key` is the hour or day (in `tz`), number, reason or disposition.

    An hour has its distance from UTC, `2026-11-24T15:00+05:30`: where clocks are put back, the same hour comes twice.
    """

    group_by: str
    tz: str
    since: datetime
    until: datetime
    groups: list[MeasuresOut]


def call_out(call: Listed, shown: Shown) -> CallOut:
    """Return one call."""
    values: dict[str, Any] = call.row._asdict()
    values |= {"caller": shown(call.row.caller), "target": shown(call.row.target)}
    return CallOut(**values, recording=call.recording, updated_at=call.updated_at)
