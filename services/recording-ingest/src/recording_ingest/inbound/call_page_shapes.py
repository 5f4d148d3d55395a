"""What the HTTP interface says of one call: its timeline, attempts, legs and decisions."""

from dataclasses import asdict
from datetime import datetime

from pydantic import BaseModel

from recording_ingest.domain.calls import Attempt, Moment
from recording_ingest.domain.events import Routed
from recording_ingest.inbound.call_shapes import CallOut, call_out
from recording_ingest.inbound.recording_shapes import RecordingOut, recordings_out
from recording_ingest.inbound.shown import Shown, named
from recording_ingest.usecases.show_call import CallPage


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


def call_page_out(page: CallPage, shown: Shown) -> CallPageOut:
    """Return everything about one call."""
    return CallPageOut(
        call=call_out(page.call, shown),
        decisions=[_decision(event) for event in page.decisions],
        attempts=[_attempt(attempt, shown) for attempt in page.attempts],
        legs=[LegOut(**{**asdict(leg), "name": named(leg.name, shown)}) for leg in page.legs],
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
        rules=[RuleOut(**rule._asdict()) for rule in decision.rules],
    )


def _attempt(attempt: Attempt, shown: Shown) -> AttemptOut:
    return AttemptOut(**{**asdict(attempt), "targets": [shown(target) for target in attempt.targets]})


def _moment(moment: Moment, shown: Shown) -> MomentOut:
    return MomentOut(**{**asdict(moment), "detail": named(moment.detail, shown) or ""})
