"""What the HTTP interface says of recordings beside their audio."""

from collections.abc import Sequence
from datetime import datetime

from pydantic import BaseModel

from recording_ingest.domain.calls import CallRow
from recording_ingest.domain.recordings import Recording, contradicts


class RecordingOut(BaseModel):
    """One part of a call's audio. `state`: `expected ready stored missing deleted`; `reason` says why it is not there.

    `channel` says whose voice it is (`both caller callee`, null: nobody said). `contradicts_call`: its length cannot be
    that of the call; null while either is not known. `expires_at`: when its PBX deletes it; `pushed_out_at`: by when
    newer recordings push it out of a PBX that keeps a number of bytes, an estimate.
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
    pushed_out_at: datetime | None
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
        pushed_out_at=entry.pushed_out_at,
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
