"""What the HTTP interface says: the shapes of its answers, phones masked unless the token may see them."""

from collections.abc import Callable, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

from pydantic import BaseModel, ConfigDict
from pydantic.config import JsonDict

from fareline_chassis.privacy import mask_phone, redact_phones
from recording_ingest.domain.calls import Attempt, CallRow, Moment
from recording_ingest.domain.events import Routed
from recording_ingest.domain.recordings import Recording, contradicts
from recording_ingest.domain.search import Listed
from recording_ingest.usecases.show_call import CallPage

Shown = Callable[[str | None], str | None]
"""How a person's phone is shown to this reader."""

_CALL_EXAMPLE: JsonDict = {
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

    model_config = ConfigDict(json_schema_extra={"examples": [_CALL_EXAMPLE]})

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
    """Measures by group; `key` is the hour or day (in `tz`), number, reason or disposition."""

    group_by: str
    tz: str
    since: datetime
    until: datetime
    groups: list[MeasuresOut]


class RecordingOut(BaseModel):
    """One part of a call's audio. `state`: `expected ready stored missing deleted`; `reason` says why it is not there.

    `channel` says whose voice it is (`both caller callee`, null: nobody said). `contradicts_call`: its length cannot be
    that of the call; null while either is not known.
    """

    recording_id: str
    call_id: str
    part: int
    channel: str | None
    state: str
    reason: str | None
    detail: str
    attempts: int
    next_attempt_at: datetime | None
    expires_at: datetime | None
    stored_at: datetime | None
    sha256: str | None
    size_bytes: int | None
    duration_s: float | None
    codec: str | None
    channels: int | None
    sample_rate: int | None
    rms_dbfs: list[float | None] | None
    silence_ratio: list[float] | None
    contradicts_call: bool | None = None


class RecordingsOut(BaseModel):
    """The recordings of a call, by part."""

    recordings: list[RecordingOut]


class WaveformOut(BaseModel):
    """Peaks for drawing: for each channel about 200 values 0 … 255 over the whole duration."""

    recording_id: str
    duration_s: float
    peaks: list[list[int]]


class MomentOut(BaseModel):
    """One message of the PBX and what came of it."""

    at: datetime
    received_at: datetime
    what: str
    detail: str


class AttemptOut(BaseModel):
    """One dial."""

    step: int
    at: datetime
    targets: list[str | None]
    direction: str | None
    order_id: str | None
    order_status: str | None
    result: str | None


class LegOut(BaseModel):
    """One leg, by the PBX's name for it."""

    name: str | None
    ringing_at: datetime | None
    answered_at: datetime | None
    bridged_at: datetime | None


class RuleOut(BaseModel):
    """One routing rule that was tried."""

    rule: str
    outcome: str
    why: str


class DecisionOut(BaseModel):
    """One answer to the PBX and the rules that led to it."""

    step: int
    at: datetime
    question: str
    deed: str
    reason: str
    source: str
    data_age_s: float | None
    took_ms: float | None
    order_id: str | None
    also_order_ids: list[str]
    revision: int | None
    rules: list[RuleOut]


class CallPageOut(BaseModel):
    """Everything about one call."""

    call: CallOut
    decisions: list[DecisionOut]
    attempts: list[AttemptOut]
    legs: list[LegOut]
    timeline: list[MomentOut]
    recordings: list[RecordingOut]


def masked(phone: str | None) -> str | None:
    """Return a person's phone as somebody without `calls:read_numbers` sees it."""
    return mask_phone(phone) if phone else phone


def in_full(phone: str | None) -> str | None:
    """Return a person's phone as it is."""
    return phone


def call_out(call: Listed, shown: Shown) -> CallOut:
    """Return one call."""
    values: dict[str, Any] = asdict(call.row)
    values |= {"caller": shown(call.row.caller), "target": shown(call.row.target)}
    return CallOut(**values, recording=call.recording, updated_at=call.updated_at)


def recording_out(entry: Recording) -> RecordingOut:
    """Return one ledger entry, without where it is kept or came from."""
    audio = entry.audio
    return RecordingOut(
        recording_id=entry.recording_id,
        call_id=entry.call_id,
        part=entry.part,
        channel=entry.channel,
        state=entry.state,
        reason=entry.reason,
        detail=entry.detail,
        attempts=entry.attempts,
        next_attempt_at=entry.next_attempt_at,
        expires_at=entry.expires_at,
        stored_at=entry.stored_at,
        sha256=entry.sha256,
        size_bytes=entry.size_bytes,
        duration_s=audio.duration_s if audio else None,
        codec=audio.codec if audio else None,
        channels=audio.channels if audio else None,
        sample_rate=audio.sample_rate if audio else None,
        rms_dbfs=list(audio.rms_dbfs) if audio else None,
        silence_ratio=list(audio.silence_ratio) if audio else None,
    )


def recordings_out(entries: Sequence[Recording], row: CallRow) -> RecordingsOut:
    """Return the recordings of a call, each compared with it."""
    shown = []
    for entry in entries:
        odd = contradicts(entry, row, parts=len(entries))
        shown.append(recording_out(entry).model_copy(update={"contradicts_call": odd}))
    return RecordingsOut(recordings=shown)


def call_page_out(page: CallPage, shown: Shown) -> CallPageOut:
    """Return everything about one call."""
    return CallPageOut(
        call=call_out(page.call, shown),
        decisions=[_decision(event) for event in page.decisions],
        attempts=[_attempt(attempt, shown) for attempt in page.attempts],
        legs=[LegOut(**{**asdict(leg), "name": _named(leg.name, shown)}) for leg in page.legs],
        timeline=[_moment(moment, shown) for moment in page.timeline],
        recordings=recordings_out(page.recordings, page.call.row).recordings,
    )


def _decision(event: Routed) -> DecisionOut:
    decision = event.decision
    return DecisionOut(
        step=event.step,
        at=event.head.at,
        question=event.question,
        deed=decision.deed,
        reason=decision.reason,
        source=decision.source,
        data_age_s=decision.data_age_s,
        took_ms=decision.took_ms,
        order_id=decision.order_id,
        also_order_ids=list(decision.also_order_ids),
        revision=decision.revision,
        rules=[RuleOut(**asdict(rule)) for rule in decision.rules],
    )


def _attempt(attempt: Attempt, shown: Shown) -> AttemptOut:
    return AttemptOut(**{**asdict(attempt), "targets": [shown(target) for target in attempt.targets]})


def _moment(moment: Moment, shown: Shown) -> MomentOut:
    return MomentOut(**{**asdict(moment), "detail": _named(moment.detail, shown) or ""})


def _named(text: str | None, shown: Shown) -> str | None:
    """Return what may name a leg by its phone as this reader sees it."""
    return redact_phones(text) if text and shown is not in_full else text
