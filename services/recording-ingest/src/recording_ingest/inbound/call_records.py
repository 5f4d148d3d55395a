"""Call events read by msgspec, at a quarter of what the contract's own models take.

These structures accept less than the models of `fareline_contracts.calls`, and nothing in another way: what they refuse
(an unknown field, a number in quotes, a time that is not UTC) has to be given to the models, which read it or say what
is wrong with it. A test holds both against each other.
"""

import re
from datetime import UTC, datetime
from typing import Annotated, Any, Final, Literal

import msgspec

from fareline_contracts.calls import (
    CALL_ENDED_TYPE,
    CALL_PROGRESS_TYPE,
    CALL_ROUTED_TYPE,
    RECORDING_READY_TYPE,
    CallDirection,
    DecisionSource,
)
from fareline_contracts.fields import EARLIEST, LATEST
from fareline_contracts.pbx_generic import Disposition, HangupBy, ProgressState

_NUL: Final = b"\\u0000"
_TOO_FINE: Final = re.compile(rb":\d\d\.\d{7}")
"""Parts of a microsecond: msgspec rounds them, pydantic cuts them off."""

Text = Annotated[str, msgspec.Meta(max_length=256)]
LongText = Annotated[str, msgspec.Meta(max_length=4096)]
Phone = Annotated[str, msgspec.Meta(pattern=r"^\+[1-9][0-9]{4,14}\Z")]
UpTo100 = Annotated[int, msgspec.Meta(ge=1, le=100)]


class _Strict(msgspec.Struct, frozen=True, gc=False, forbid_unknown_fields=True):
    """What refuses fields it does not know."""


class _Action(_Strict, frozen=True, gc=False, tag_field="do", tag=str.lower):
    """An action, known by its `do`: the name of its class."""


class Play(_Action, frozen=True, gc=False):
    """`fareline_contracts.pbx_generic.Play`."""

    prompt: Text


class CallAnnounce(_Strict, frozen=True, gc=False):
    """`fareline_contracts.pbx_generic.CallAnnounce`."""

    caller: Text | None = None
    callee: Text | None = None


class Dial(_Action, frozen=True, gc=False):
    """`fareline_contracts.pbx_generic.Dial`."""

    targets: Annotated[list[str], msgspec.Meta(min_length=1, max_length=2)]
    caller_id: str
    ring_timeout_s: int
    max_duration_s: int
    record: Literal["off", "mono", "dual"]
    announce: CallAnnounce = CallAnnounce()
    context: str = ""


class Ask(_Action, frozen=True, gc=False):
    """`fareline_contracts.pbx_generic.Ask`."""

    prompt: Text
    digits: int
    timeout_s: int
    context: str = ""


class Fallback(_Action, frozen=True, gc=False):
    """`fareline_contracts.pbx_generic.Fallback`."""

    target: Text
    display: str = ""


class Reject(_Action, frozen=True, gc=False):
    """`fareline_contracts.pbx_generic.Reject`."""

    cause: Literal["busy"] = "busy"


class Hangup(_Action, frozen=True, gc=False):
    """`fareline_contracts.pbx_generic.Hangup`."""


class RuleOutcome(_Strict, frozen=True, gc=False):
    """`fareline_contracts.calls.RuleOutcome`."""

    rule: Text
    outcome: Text
    why: LongText


class DecisionRecord(_Strict, frozen=True, gc=False):
    """`fareline_contracts.calls.DecisionRecord`."""

    decision_id: Text
    reason: Text
    source: DecisionSource
    actions: Annotated[list[Play | Dial | Ask | Fallback | Reject | Hangup], msgspec.Meta(min_length=1)]
    data_age_s: float | None = None
    took_ms: float | None = None
    order_id: Text | None = None
    also_order_ids: list[Text] = []
    revision: int | None = None
    order_version: int | None = None
    order_status: Text | None = None
    status_changed_at: datetime | None = None
    direction: CallDirection | None = None
    driver_id: Text | None = None
    client_id: Text | None = None
    recorded: bool = False
    wrong_code: bool = False
    caller_known: bool | None = None
    rules: list[RuleOutcome] = []

    def __post_init__(self) -> None:
        """Refuse times that are not UTC, or out of all reason."""
        _check(self.status_changed_at)


class CallEvent(_Strict, frozen=True, gc=False, kw_only=True):
    """`fareline_contracts.calls.CallEvent`."""

    call_id: Text
    account: Text
    pbx_call_id: Text
    tenant: Text | None = None
    at: datetime
    received_at: datetime

    def __post_init__(self) -> None:
        """Refuse times that are not UTC, or out of all reason."""
        _check(self.at, self.received_at)


class CallRouted(CallEvent, frozen=True, gc=False, kw_only=True):
    """`fareline_contracts.calls.CallRouted`."""

    step: UpTo100
    question: Text
    caller: Phone | None = None
    number: Text
    dial_result: Text | None = None
    decision: DecisionRecord


class CallProgress(CallEvent, frozen=True, gc=False, kw_only=True):
    """`fareline_contracts.calls.CallProgress`."""

    state: ProgressState
    leg: Text | None = None


class CallEnded(CallEvent, frozen=True, gc=False, kw_only=True):
    """`fareline_contracts.calls.CallEnded`."""

    disposition: Disposition
    cause: int | None = None
    hangup_by: HangupBy | None = None
    started_at: datetime | None = None
    ringing_at: datetime | None = None
    answered_at: datetime | None = None
    bridged_at: datetime | None = None
    ended_at: datetime | None = None
    duration_s: float | None = None
    announced: bool | None = None
    recorded: bool | None = None
    line: Text | None = None
    raw_disposition: Text | None = None

    def __post_init__(self) -> None:
        """Refuse times that are not UTC, or out of all reason."""
        _check(self.at, self.received_at, self.started_at, self.ringing_at, self.answered_at)
        _check(self.bridged_at, self.ended_at)


class RecordingReady(CallEvent, frozen=True, gc=False, kw_only=True):
    """`fareline_contracts.calls.RecordingReady`."""

    recording_id: Text
    part: UpTo100 = 1
    channels: int | None = None
    url: LongText | None = None


RECORDS: Final[dict[str, type[CallEvent]]] = {
    CALL_ROUTED_TYPE: CallRouted,
    CALL_PROGRESS_TYPE: CallProgress,
    CALL_ENDED_TYPE: CallEnded,
    RECORDING_READY_TYPE: RecordingReady,
}
_DECODERS: Final = {ce_type: msgspec.json.Decoder(record) for ce_type, record in RECORDS.items()}


def document_of(ce_type: str, value: bytes) -> dict[str, Any] | None:
    """Return the document of a record as the contract's model writes it; None: ask the model."""
    decoder = _DECODERS.get(ce_type)
    if decoder is None or _NUL in value or _TOO_FINE.search(value):
        return None
    try:
        document: dict[str, Any] = msgspec.to_builtins(decoder.decode(value))
    except (msgspec.MsgspecError, ValueError, RecursionError):
        return None
    return document


def _check(*instants: datetime | None) -> None:
    for instant in instants:
        if instant is not None and (instant.tzinfo is not UTC or not EARLIEST <= instant < LATEST):
            raise ValueError("not UTC, or not between 2000 and 2100")
