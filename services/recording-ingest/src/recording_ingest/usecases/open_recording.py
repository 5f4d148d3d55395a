"""Give out a recording's bytes, after noting who gets them."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, replace

from recording_ingest.domain.ranges import ByteRange, parse_range
from recording_ingest.domain.recordings import Recording
from recording_ingest.ports.access_log import Access, AccessLog, Asker, Outcome
from recording_ingest.ports.clock import Clock
from recording_ingest.ports.storage import Store

LISTEN = "listen"
WAVEFORM = "waveform"


@dataclass(frozen=True, slots=True)
class Noted:
    """An access that is written down, by the id of its row."""

    access_id: int
    access: Access


@dataclass(frozen=True, slots=True)
class Opened:
    """What to send: `part` None means the whole file, `size` is that of the whole. `noted`: who gets it."""

    part: ByteRange | None
    size: int
    content: AsyncIterator[bytes]
    noted: Noted

    @property
    def length(self) -> int:
        """How many bytes are to be sent."""
        return self.part.end - self.part.start if self.part else self.size


async def open_recording(
    log: AccessLog, store: Store, entry: Recording, *, asker: Asker, wanted: str | None, clock: Clock
) -> Opened:
    """Return the bytes of a stored recording that a `Range` header asks for, once the audit row is committed.

    Raises RangeNotSatisfiable. `content` raises StoreLost when storage does not have what the ledger names.
    """
    if entry.object_key is None or entry.size_bytes is None:
        raise ValueError("only a stored recording can be opened")
    part = parse_range(wanted, entry.size_bytes)
    noted = await note_access(log, entry, asker=asker, action=LISTEN, part=part, clock=clock)
    start, end = (part.start, part.end) if part else (0, entry.size_bytes)
    return Opened(part, entry.size_bytes, store.read(entry.object_key, start, end), noted)


async def note_access(
    log: AccessLog,
    entry: Recording,
    *,
    asker: Asker,
    action: str,
    clock: Clock,
    part: ByteRange | None = None,
    outcome: Outcome = Outcome.GRANTED,
) -> Noted:
    """Write who is about to see or hear what, or was refused to."""
    access = Access(
        recording_id=entry.recording_id,
        call_id=entry.call_id,
        tenant=entry.tenant,
        asker=asker,
        action=action,
        at=clock(),
        byte_range=part.content_range if part else None,
        outcome=outcome,
    )
    return Noted(await log.log_access(access), access)


async def note_end(log: AccessLog, noted: Noted, outcome: Outcome, bytes_sent: int, clock: Clock) -> None:
    """Write how an access ended: a row of its own, as none is ever changed."""
    end = replace(noted.access, at=clock(), outcome=outcome, bytes_sent=bytes_sent, begun=noted.access_id)
    await log.log_access(end)
