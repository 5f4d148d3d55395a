"""The ledger of recordings: `expected → ready → stored`, or `missing` with a reason. `stored` is final.

A recording's identity is ours and the same in every process: it comes from the call and the PBX's own id for the file;
for audio that is due and was not announced, from the call alone. An announcement then takes over that row.
"""

import enum
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from recording_ingest.domain.calls import CallRow
from recording_ingest.domain.events import Ready

_NAMESPACE = uuid.UUID("5d0c8f0e-6a35-5a5c-9f6e-6f1f5d0f7a11")
_BESIDE = "beside:"
_GRANTED_S = 3.0
ANNOUNCE_WITHIN = timedelta(hours=6)
"""How long after the end of a call its recording may be announced before it counts as missing."""


class State(enum.StrEnum):
    """Where a recording stands."""

    EXPECTED = "expected"
    READY = "ready"
    STORED = "stored"
    MISSING = "missing"
    DELETED = "deleted"
    """The audio was there, or was to come, and is gone by retention or erasure: final."""


class Reason(enum.StrEnum):
    """Why a recording is missing, or why the last attempt failed."""

    NEVER_ANNOUNCED = "never_announced"
    NOT_FOUND = "not_found"
    REFUSED_ADDRESS = "refused_address"
    TOO_LARGE = "too_large"
    NOT_AUDIO = "not_audio"
    INCOMPLETE = "incomplete"
    SOURCE_FAILED = "source_failed"
    EXPIRED = "expired"
    RETENTION = "retention"
    ERASURE = "erasure"


@dataclass(frozen=True, slots=True)
class Audio:
    """What was found by decoding the whole file. Levels are dBFS (None for silence), one per channel."""

    duration_s: float
    codec: str
    container: str
    channels: int
    sample_rate: int
    rms_dbfs: tuple[float | None, ...]
    silence_ratio: tuple[float, ...]
    peaks: tuple[tuple[int, ...], ...]
    """Per channel about 200 values 0 … 255: the loudest sample of each slice of time."""


@dataclass(frozen=True, slots=True)
class Recording:
    """One part of a call's audio. `source_id` is the PBX's id (None: due, but not announced yet)."""

    recording_id: str
    call_id: str
    account: str
    pbx_call_id: str
    tenant: str | None
    state: State
    part: int = 1
    channel: str | None = None
    """Whose voice it is: `both`, `caller`, `callee`; None where nobody said."""
    source_id: str | None = None
    url: str | None = None
    announced_channels: int | None = None
    announce_by: datetime | None = None
    """Until when audio that is due may still be announced or found; None once it was announced."""
    next_attempt_at: datetime | None = None
    made_at: datetime | None = None
    """When its PBX had made it, as far as that is known: what it drops first is what it made first."""
    expires_at: datetime | None = None
    """When its PBX deletes it, where that keeps recordings for a time."""
    pushed_out_at: datetime | None = None
    """By when newer ones push it out, where the PBX keeps a number of bytes: an estimate, renewed while it waits."""
    attempts: int = 0
    failures: int = 0
    """How many of the attempts were refused; the others ended with their worker."""
    reason: Reason | None = None
    detail: str = ""
    object_key: str | None = None
    sha256: str | None = None
    size_bytes: int | None = None
    audio: Audio | None = None
    stored_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Waits:
    """How an account's PBX behaves. `after_ready`: before the first download; `retention`: until the PBX deletes.

    `after_end`: how long after a call it can be asked for recordings that it has not announced; None if it cannot be.
    """

    after_ready: timedelta = timedelta(0)
    retention: timedelta | None = None
    after_end: timedelta | None = None


def recording_id(call_id: str, source_id: str | None) -> str:
    """Return our id for a file of the PBX, or for the one that a call owes without having announced it."""
    return str(uuid.uuid5(_NAMESPACE, f"{call_id}\n{source_id or ''}"))


def object_key(recording: Recording) -> str:
    """Return where the audio is kept: ours alone, nothing from outside but the tenant's (checked) name."""
    name = recording.recording_id
    return f"audio/{recording.tenant or 'no-tenant'}/{name[:2]}/{name}"


def reconcile(row: CallRow, ready: Sequence[Ready], known: Sequence[Recording], waits: Waits) -> list[Recording]:
    """Return the ledger rows to write so that the ledger agrees with a call's events; [] when it does.

    Pure and repeatable: what was reconciled once gives nothing the second time.
    """
    if not known and not ready and not row.recording_due:
        return []
    changed = {entry.recording_id: replace(entry, tenant=row.tenant) for entry in known if _lacks_tenant(entry, row)}
    held = {entry.recording_id: entry for entry in known} | changed
    announcements = {event.source_id: event for event in ready}
    sources = {(entry.source_id or "").removeprefix(_BESIDE) for entry in known}
    for event in (event for source, event in announcements.items() if source not in sources):
        unnamed = next((entry for entry in held.values() if entry.source_id is None), None)
        entry = announce(unnamed or _owed(row, event.source_id), event, waits)
        held[entry.recording_id] = changed[entry.recording_id] = entry
    if row.recording_due and not held:
        owed = expect(row, waits)
        changed[owed.recording_id] = owed
    return list(changed.values())


def expect(row: CallRow, waits: Waits) -> Recording:
    """Return what a call owes: waited for until six hours after its end, asked for meanwhile where the PBX can be."""
    ended = row.ended_at or row.started_at
    deadline = ended + ANNOUNCE_WITHIN
    return replace(
        _owed(row, None),
        announce_by=deadline,
        next_attempt_at=deadline if waits.after_end is None else ended + waits.after_end,
        made_at=ended,
        expires_at=ended + waits.retention if waits.retention else None,
    )


def announce(entry: Recording, event: Ready, waits: Waits) -> Recording:
    """Return `entry` named by an announcement: ready for download unless it is stored already."""
    named = replace(entry, source_id=event.source_id, part=event.part, announced_channels=event.channels)
    if entry.state in (State.STORED, State.DELETED):
        return named
    return replace(
        named,
        state=State.READY,
        url=event.url,
        announce_by=None,
        reason=None,
        detail="",
        attempts=0,
        failures=0,
        next_attempt_at=event.head.received_at + (timedelta(0) if event.url else waits.after_ready),
        made_at=event.head.at,
        expires_at=event.head.at + waits.retention if waits.retention else None,
    )


def stored(entry: Recording, *, key: str, sha256: str, size_bytes: int, audio: Audio, now: datetime) -> Recording:
    """Return `entry` with its audio: final. Storing it again changes nothing."""
    if entry.state is State.STORED:
        return entry
    return replace(
        entry,
        state=State.STORED,
        object_key=key,
        sha256=sha256,
        size_bytes=size_bytes,
        audio=audio,
        stored_at=now,
        next_attempt_at=None,
        reason=None,
        detail="",
    )


def failed(
    entry: Recording, *, reason: Reason, detail: str, final: bool, attempts_allowed: int, again_at: datetime
) -> Recording:
    """Return `entry` after a failed attempt: tried again at `again_at`, or missing if that is pointless or too late.

    What was announced has a number of attempts; what is only due is asked for until it cannot be announced any more.
    """
    if entry.state is State.STORED:
        return entry
    after = replace(entry, reason=reason, detail=detail[:250], failures=entry.failures + 1)
    if entry.state is State.EXPECTED and entry.announce_by and again_at >= entry.announce_by:
        never = reason is Reason.NOT_FOUND
        return replace(_missing(after), reason=Reason.NEVER_ANNOUNCED if never else reason)
    gone = reason is Reason.NOT_FOUND and _over(again_at, entry.expires_at, entry.pushed_out_at)
    spent = final or (entry.state is State.READY and after.failures >= attempts_allowed)
    # Only a time that the PBX keeps to ends the attempts: that newer recordings pushed it out is an estimate.
    if spent or _over(again_at, entry.expires_at):
        return replace(_missing(after), reason=Reason.EXPIRED if gone else reason)
    return replace(after, next_attempt_at=again_at)


def never_announced(entry: Recording) -> Recording:
    """Return an expected recording whose time to be announced is over. A late announcement still revives it."""
    if entry.state is not State.EXPECTED:
        return entry
    return replace(_missing(entry), reason=entry.reason or Reason.NEVER_ANNOUNCED)


def found_beside(entry: Recording, name: str, *, part: int, now: datetime) -> Recording:
    """Return the row for a further file of `entry`'s call, which the PBX named when it was asked for that call.

    A later announcement of the same name finds it there.
    """
    source_id = f"{_BESIDE}{name}"
    return replace(
        entry,
        recording_id=recording_id(entry.call_id, source_id),
        state=State.READY,
        part=part,
        source_id=source_id,
        url=None,
        announce_by=None,
        next_attempt_at=now,
        attempts=0,
        failures=0,
        reason=None,
        detail="",
    )


def name_beside(entry: Recording) -> str | None:
    """Return the name under which a file was found beside another one, None for every other recording."""
    source_id = entry.source_id or ""
    return source_id.removeprefix(_BESIDE) if source_id.startswith(_BESIDE) else None


def contradicts(entry: Recording, row: CallRow, *, parts: int) -> bool | None:
    """Tell whether a stored recording's length cannot be that of its call; None while either is not known.

    It is too long if it exceeds the whole call, too short if it is the call's only part and lacks some of the talk;
    three seconds, or a tenth of the call, are granted to clocks and to late starts.
    """
    if entry.audio is None or row.talk_s is None or row.total_s is None:
        return None
    granted = max(_GRANTED_S, 0.1 * row.talk_s)
    too_short = parts == 1 and entry.audio.duration_s < row.talk_s - granted
    return too_short or entry.audio.duration_s > row.total_s + granted


def _over(now: datetime, *times: datetime | None) -> bool:
    return any(time is not None and now >= time for time in times)


def _missing(entry: Recording) -> Recording:
    return replace(entry, state=State.MISSING, next_attempt_at=None)


def _lacks_tenant(entry: Recording, row: CallRow) -> bool:
    return entry.tenant is None and row.tenant is not None


def _owed(row: CallRow, source_id: str | None) -> Recording:
    return Recording(
        recording_id=recording_id(row.call_id, source_id),
        call_id=row.call_id,
        account=row.account,
        pbx_call_id=row.pbx_call_id,
        tenant=row.tenant,
        state=State.EXPECTED,
        source_id=source_id,
    )
