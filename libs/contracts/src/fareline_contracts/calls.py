"""Call events: everything that happened to a call, from the first question to the recording."""

from typing import Annotated

from pydantic import Field

from fareline_contracts.fields import E164, Instant, LongText, OpenEnum, Record, Text
from fareline_contracts.pbx_generic import Action, Disposition, HangupBy, ProgressState

CALL_ROUTED_TYPE = "fareline.call.routed.v1"
CALL_PROGRESS_TYPE = "fareline.call.progress.v1"
CALL_ENDED_TYPE = "fareline.call.ended.v1"
RECORDING_READY_TYPE = "fareline.recording.ready.v1"


class DecisionSource(OpenEnum):
    """Whose data a decision rests on."""

    REPLICA = "replica"
    BINDER = "binder"
    DEFAULT = "default"
    OTHER = "other"


class CallDirection(OpenEnum):
    """Who calls whom."""

    DRIVER_TO_CLIENT = "driver_to_client"
    CLIENT_TO_DRIVER = "client_to_driver"
    OTHER = "other"


class RuleOutcome(Record):
    """One routing rule that was tried: what came of it, and why in words. No phone stands in `why`."""

    rule: Text
    outcome: Text
    why: LongText


class DecisionRecord(Record):
    """A decision as it was taken; order fields are null where no order was found."""

    decision_id: Text
    reason: Text
    source: DecisionSource
    data_age_s: float | None = None
    took_ms: float | None = None
    actions: Annotated[tuple[Action, ...], Field(min_length=1)]
    order_id: Text | None = None
    also_order_ids: tuple[Text, ...] = ()
    """Other orders between the same two people."""
    revision: int | None = None
    order_version: int | None = None
    order_status: Text | None = None
    status_changed_at: Instant | None = None
    direction: CallDirection | None = None
    driver_id: Text | None = None
    client_id: Text | None = None
    recorded: bool = False
    """Whether the answer told the PBX to record."""
    wrong_code: bool = False
    """Whether the caller had typed a wrong code."""
    caller_known: bool | None = None
    """Whether the caller was a party of any order then; null where his tenant is not known."""
    rules: tuple[RuleOutcome, ...] = ()


class CallEvent(Record):
    """What every call event says: which call, on which account, when by the PBX and when by us."""

    call_id: Text
    account: Text
    pbx_call_id: Text
    tenant: Text | None = None
    at: Instant
    received_at: Instant


class CallRouted(CallEvent):
    """A question of the PBX and our answer. `caller` is null for a withheld number."""

    step: Annotated[int, Field(ge=1, le=100)]
    question: Text
    """`call.started`, `call.digits` or `call.dialed`."""
    caller: E164 | None = None
    number: Text
    """The number that was dialled."""
    dial_result: Text | None = None
    decision: DecisionRecord


class CallProgress(CallEvent):
    """A leg rang, was answered or bridged."""

    state: ProgressState
    leg: Text | None = None


class CallEnded(CallEvent):
    """The call is over; `line` is the PBX extension it used, `bridged_at` marks the start of talking."""

    disposition: Disposition
    cause: int | None = None
    hangup_by: HangupBy | None = None
    started_at: Instant | None = None
    ringing_at: Instant | None = None
    answered_at: Instant | None = None
    bridged_at: Instant | None = None
    ended_at: Instant | None = None
    duration_s: float | None = None
    announced: bool | None = None
    recorded: bool | None = None
    line: Text | None = None
    raw_disposition: Text | None = None


class RecordingReady(CallEvent):
    """Audio of a call can be had: from `url`, or by asking the PBX for `recording_id` where there is none."""

    recording_id: Text
    part: Annotated[int, Field(ge=1, le=100)] = 1
    channels: int | None = None
    url: LongText | None = None
