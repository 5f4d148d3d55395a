"""What became of a recording: stored with its digest, or missing with the reason."""

from fareline_contracts.fields import Instant, OpenEnum, Record, Text

RECORDING_STORED_TYPE = "fareline.recording.stored.v1"
RECORDING_MISSING_TYPE = "fareline.recording.missing.v1"


class MissingReason(OpenEnum):
    """Why a recording never came."""

    NEVER_ANNOUNCED = "never_announced"
    NOT_FOUND = "not_found"
    REFUSED_ADDRESS = "refused_address"
    TOO_LARGE = "too_large"
    NOT_AUDIO = "not_audio"
    INCOMPLETE = "incomplete"
    SOURCE_FAILED = "source_failed"
    EXPIRED = "expired"
    OTHER = "other"


class _RecordingEvent(Record):
    recording_id: Text
    """Ours; the id in `GET /v1/recordings/{recording_id}`."""
    call_id: Text
    account: Text
    tenant: Text | None = None
    order_id: Text | None = None
    part: int = 1
    at: Instant


class RecordingStored(_RecordingEvent):
    """The audio is in storage, whole, and can be listened to."""

    sha256: Text
    size_bytes: int
    duration_s: float
    codec: Text
    channels: int
    sample_rate: int


class RecordingMissing(_RecordingEvent):
    """The audio could not be had and will not be tried again."""

    reason: MissingReason
    detail: Text = ""
