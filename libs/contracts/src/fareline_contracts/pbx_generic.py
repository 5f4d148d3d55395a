"""The generic PBX contract: the JSON that any PBX may speak with call-router; every adapter is a rendering of it."""

import enum
from typing import Annotated, Literal

from pydantic import Field, TypeAdapter

from fareline_contracts.fields import Instant, LongText, OpenEnum, RawPhone, Record, Text

Seconds = Annotated[float, Field(ge=0, le=86_400)]
PbxCallId = Annotated[Text, Field(min_length=1)]


class DigitsComplete(enum.StrEnum):
    """Why the PBX stopped collecting digits."""

    LENGTH = "length"
    TERMINATOR = "terminator"
    TIMEOUT = "timeout"


class DialResult(enum.StrEnum):
    """How a dial ended when nobody was bridged."""

    BUSY = "busy"
    NO_ANSWER = "no_answer"
    REJECTED = "rejected"
    UNREACHABLE = "unreachable"
    FAILED = "failed"
    CANCELLED = "cancelled"


class ProgressState(OpenEnum):
    """How far a leg has come."""

    RINGING = "ringing"
    EARLY_MEDIA = "early_media"
    ANSWERED = "answered"
    BRIDGED = "bridged"
    TRANSFERRED = "transferred"
    OTHER = "other"


class Disposition(OpenEnum):
    """How a call ended."""

    ANSWERED = "answered"
    NO_ANSWER = "no_answer"
    BUSY = "busy"
    FAILED = "failed"
    CANCELLED = "cancelled"
    OTHER = "other"


class HangupBy(OpenEnum):
    """Who ended a call."""

    CALLER = "caller"
    CALLEE = "callee"
    PBX = "pbx"
    LIMIT = "limit"
    OTHER = "other"


class _Message(Record):
    v: Literal[1] = 1
    call_id: PbxCallId
    from_: Annotated[RawPhone, Field(alias="from")] = ""
    to: RawPhone = ""
    at: Instant
    parent_call_id: Text | None = None
    from_verified: Literal["A", "B", "C", "failed"] | None = None
    diversion: RawPhone | None = None
    answered: bool = False


class CallStarted(_Message):
    """A call reached the PBX: where should it go?"""

    event: Literal["call.started"] = "call.started"


class CallDigits(_Message):
    """The caller was asked for digits; `digits` is empty when he typed none."""

    event: Literal["call.digits"] = "call.digits"
    digits: Annotated[Text, Field(max_length=64)] = ""
    context: LongText = ""
    complete: DigitsComplete = DigitsComplete.TIMEOUT


class CallDialed(_Message):
    """A dial ended and nobody was bridged: what now?"""

    event: Literal["call.dialed"] = "call.dialed"
    context: LongText = ""
    target_index: Annotated[int, Field(ge=0, le=10)] = 0
    result: DialResult
    cause: Annotated[int, Field(ge=0, le=127)] | None = None
    ring_s: Seconds | None = None


class CallProgressReport(_Message):
    """A leg went on; nothing is asked."""

    event: Literal["call.progress"] = "call.progress"
    state: ProgressState
    leg: Text | None = None


class CallEndedReport(_Message):
    """The call is over; times are the PBX's own."""

    event: Literal["call.ended"] = "call.ended"
    disposition: Disposition
    cause: Annotated[int, Field(ge=0, le=127)] | None = None
    hangup_by: HangupBy | None = None
    started_at: Instant | None = None
    ringing_at: Instant | None = None
    answered_at: Instant | None = None
    bridged_at: Instant | None = None
    ended_at: Instant | None = None
    announced: bool | None = None
    recorded: bool | None = None


class RecordingReadyReport(_Message):
    """A recording part can be fetched from `url`, or is pushed to recording-ingest when there is none."""

    event: Literal["recording.ready"] = "recording.ready"
    recording_id: Annotated[Text, Field(min_length=1)]
    part: Annotated[int, Field(ge=1, le=100)] = 1
    channels: Annotated[int, Field(ge=1, le=8)] | None = None
    url: LongText | None = None


Request = Annotated[
    CallStarted | CallDigits | CallDialed | CallProgressReport | CallEndedReport | RecordingReadyReport,
    Field(discriminator="event"),
]
REQUEST: TypeAdapter[
    CallStarted | CallDigits | CallDialed | CallProgressReport | CallEndedReport | RecordingReadyReport
] = TypeAdapter(Request)


class Play(Record):
    """Play a prompt, then do the next action."""

    do: Literal["play"] = "play"
    prompt: Text


class CallAnnounce(Record):
    """The prompt that each leg hears before they are bridged."""

    caller: Text | None = None
    callee: Text | None = None


class Dial(Record):
    """Ring the targets one after the other, showing `caller_id`."""

    do: Literal["dial"] = "dial"
    targets: Annotated[tuple[str, ...], Field(min_length=1, max_length=2)]
    caller_id: str
    ring_timeout_s: int
    max_duration_s: int
    record: Literal["off", "mono", "dual"]
    announce: CallAnnounce = CallAnnounce()
    context: str = ""


class Ask(Record):
    """Play a prompt and collect up to `digits` digits, accepted while it plays."""

    do: Literal["ask"] = "ask"
    prompt: Text
    digits: int
    timeout_s: int
    context: str = ""


class Fallback(Record):
    """Hand the call to a target that the account's PBX knows, showing `display` on the operator's screen."""

    do: Literal["fallback"] = "fallback"
    target: Text
    display: str = ""


class Reject(Record):
    """Refuse the call before it is answered."""

    do: Literal["reject"] = "reject"
    cause: Literal["busy"] = "busy"


class Hangup(Record):
    """End the call."""

    do: Literal["hangup"] = "hangup"


Action = Annotated[Play | Dial | Ask | Fallback | Reject | Hangup, Field(discriminator="do")]


class Answer(Record):
    """The answer to a question: any number of `play`, then exactly one other action."""

    v: Literal[1] = 1
    call_id: str
    decision_id: str
    reason: str
    actions: Annotated[tuple[Action, ...], Field(min_length=1)]


class Accepted(Record):
    """The answer to a report."""

    v: Literal[1] = 1
    ok: Literal[True] = True
