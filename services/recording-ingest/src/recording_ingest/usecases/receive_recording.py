"""Take in audio that a PBX sends us: verified, published, and then written into the ledger, once."""

import enum
import uuid
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from recording_ingest.domain.pushes import Push, PushRefused, Raw, entry_of, key_of
from recording_ingest.domain.recordings import Recording, State, stored
from recording_ingest.ports.clock import Clock
from recording_ingest.ports.downloads import AudioReader, Fetched
from recording_ingest.ports.pushes import Inbox, Intake
from recording_ingest.ports.storage import Store


class Taken(enum.Enum):
    """What became of a push."""

    NEW = "new"
    KNOWN = "known"
    CONFLICT = "conflict"


@dataclass(frozen=True, slots=True)
class Receiving:
    """What receiving needs."""

    inbox: Inbox
    intake: Intake
    store: Store
    audio: AudioReader
    clock: Clock


@dataclass(frozen=True, slots=True)
class Sent:
    """A push's content: its bytes as they come, how they lie if they have no header, and the digests it promises."""

    body: AsyncIterator[bytes]
    raw: Raw | None
    promised: Mapping[str, bytes]


async def receive_recording(tools: Receiving, push: Push, sent: Sent) -> tuple[Taken, Recording]:
    """Return what became of a push and the ledger row. The same content again is `KNOWN`, other content `CONFLICT`.

    Killed anywhere, the same push made again ends as if nothing had happened. Raises PushRefused where a digest is
    wrong, FetchFailed where the content is too large, too slow, cut short, or no whole audio.
    """
    path = tools.store.scratch(f"push-{uuid.uuid4()}")
    try:
        received = await _received(tools, path, sent)
        entry = entry_of(push, await tools.intake.known(push.call_id))
        if _final(entry):
            return _compared(entry, received), entry
        return await _taken_in(tools, push, entry, received, path)
    finally:
        path.unlink(missing_ok=True)


async def _received(tools: Receiving, path: Path, sent: Sent) -> Fetched:
    digests, received = await tools.inbox.receive(sent.body, path, algorithms=tuple(sent.promised))
    if digests != dict(sent.promised):
        raise PushRefused("the content is not what Content-Digest promises: send it again")
    return await tools.inbox.with_header(path, sent.raw) if sent.raw else received


async def _taken_in(
    tools: Receiving, push: Push, entry: Recording, received: Fetched, path: Path
) -> tuple[Taken, Recording]:
    key = key_of(push, entry)
    audio = await tools.audio.read(path)
    held = received
    if not await tools.store.publish(path, key):
        # An earlier push ended between storage and ledger. What it stored was whole, and is what counts.
        held = await tools.store.recover(key, path) or received
        audio = await tools.audio.read(path)
    async with tools.intake.locked(push.call_id) as ledger:
        entry = entry_of(push, ledger.known)
        if _final(entry):
            return _compared(entry, received), entry
        done = stored(entry, key=key, sha256=held.sha256, size_bytes=held.size_bytes, audio=audio, now=tools.clock())
        await ledger.save(done)
    return Taken.NEW if held.sha256 == received.sha256 else Taken.CONFLICT, done


def _final(entry: Recording) -> bool:
    return entry.state in (State.STORED, State.DELETED)


def _compared(entry: Recording, received: Fetched) -> Taken:
    return Taken.KNOWN if entry.sha256 == received.sha256 else Taken.CONFLICT
