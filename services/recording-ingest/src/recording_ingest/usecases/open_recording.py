"""Give out a recording's bytes, after noting who gets them."""

from collections.abc import AsyncIterator
from dataclasses import dataclass

from recording_ingest.domain.ranges import ByteRange, parse_range
from recording_ingest.domain.recordings import Recording
from recording_ingest.ports.clock import Clock
from recording_ingest.ports.recordings import Access, RecordingFinder
from recording_ingest.ports.storage import Store

LISTEN = "listen"
WAVEFORM = "waveform"


@dataclass(frozen=True, slots=True)
class Opened:
    """What to send: `part` None means the whole file, `size` is that of the whole."""

    part: ByteRange | None
    size: int
    content: AsyncIterator[bytes]


async def open_recording(
    finder: RecordingFinder, store: Store, entry: Recording, *, actor: str, wanted: str | None, clock: Clock
) -> Opened:
    """Return the bytes of a stored recording that a `Range` header asks for, once the audit row is committed.

    Raises RangeNotSatisfiable. `content` raises StoreLost when storage does not have what the ledger names.
    """
    if entry.object_key is None or entry.size_bytes is None:
        raise ValueError("only a stored recording can be opened")
    part = parse_range(wanted, entry.size_bytes)
    await note_access(finder, entry, actor=actor, action=LISTEN, part=part, clock=clock)
    start, end = (part.start, part.end) if part else (0, entry.size_bytes)
    return Opened(part, entry.size_bytes, store.read(entry.object_key, start, end))


async def note_access(
    finder: RecordingFinder, entry: Recording, *, actor: str, action: str, part: ByteRange | None, clock: Clock
) -> None:
    """Write who is about to see or hear what."""
    await finder.log_access(
        Access(
            recording_id=entry.recording_id,
            call_id=entry.call_id,
            tenant=entry.tenant,
            actor=actor,
            action=action,
            byte_range=part.content_range if part else None,
            at=clock(),
        )
    )
