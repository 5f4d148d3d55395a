"""What a PBX tells without asking: a leg went on, the call ended, a recording can be fetched."""

from datetime import datetime, timedelta

from call_router.domain.values import Value

ANSWERED_STATES = frozenset({"answered", "bridged"})


class Progress(Value, frozen=True):
    """A leg has come to `state`: `ringing early_media answered bridged transferred`, or `other`.

    `bridged` says that caller and callee talk; `answered` alone may be a prompt that answered the caller's leg.
    """

    pbx_call_id: str
    at: datetime
    state: str
    leg: str | None = None

    @property
    def step(self) -> str:
        """What tells this report from others of the call."""
        return f"progress:{self.state}:{self.leg or ''}"


class Ended(Value, frozen=True):
    """The call is over. `disposition` is `answered` only where somebody was really talked to.

    `raw_disposition` is the PBX's own word, `line` the extension that the call used.
    """

    pbx_call_id: str
    at: datetime
    disposition: str
    cause: int | None = None
    hangup_by: str | None = None
    started_at: datetime | None = None
    ringing_at: datetime | None = None
    answered_at: datetime | None = None
    bridged_at: datetime | None = None
    ended_at: datetime | None = None
    duration: timedelta | None = None
    announced: bool | None = None
    recorded: bool | None = None
    line: str | None = None
    raw_disposition: str | None = None

    @property
    def step(self) -> str:
        """What tells this report from others of the call."""
        return "ended"


class RecordingReady(Value, frozen=True):
    """A part of a recording can be had: from `url`, or by asking the PBX for `recording_id`."""

    pbx_call_id: str
    at: datetime
    recording_id: str
    part: int = 1
    channels: int | None = None
    url: str | None = None

    @property
    def step(self) -> str:
        """What tells this report from others of the call."""
        return f"recording:{self.recording_id}:{self.part}"


Report = Progress | Ended | RecordingReady
