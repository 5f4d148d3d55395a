"""Bring one recording into storage: fetch, verify, publish, and only then say `stored`."""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from recording_ingest.domain.recordings import (
    Reason,
    Recording,
    State,
    failed,
    found_beside,
    never_announced,
    object_key,
    stored,
)
from recording_ingest.domain.retries import ATTEMPTS, delay_before
from recording_ingest.ports.clock import Clock
from recording_ingest.ports.downloads import AudioReader, FetchFailed, Job, Queue, Source
from recording_ingest.ports.storage import Store

_KILLED_AT_MOST = 20
_FIRST_QUESTION = timedelta(seconds=40)


@dataclass(frozen=True, slots=True)
class Downloads:
    """What a download needs. `first_pause` is the pause after a first failure; later ones double."""

    queue: Queue
    source: Source
    store: Store
    audio: AudioReader
    clock: Clock
    first_pause: timedelta
    attempts_allowed: int = ATTEMPTS


async def download_recording(tools: Downloads, job: Job) -> Recording | None:
    """Work one leased job off and return the entry as written; None when the lease was lost meanwhile.

    Killed anywhere, it is begun again by whoever gets the lease next: the object key is always the same, an object is
    published whole or not at all, and one found published is adopted instead of fetched a second time.
    """
    outcome, beside = await _outcome(tools, job)
    return outcome if await tools.queue.finish(job, outcome, beside) else None


async def _outcome(tools: Downloads, job: Job) -> tuple[Recording, Sequence[Recording]]:
    entry = job.entry
    if entry.state is State.EXPECTED and (entry.announce_by is None or tools.clock() >= entry.announce_by):
        return never_announced(entry), ()
    if entry.state is State.READY and entry.attempts - entry.failures > _KILLED_AT_MOST:
        poison = FetchFailed(Reason.SOURCE_FAILED, "every attempt ended the worker", final=True)
        return _failed(tools, entry, poison), ()
    path = tools.store.scratch(f"{entry.recording_id}.{job.lease}")
    try:
        return await _stored(tools, entry, path)
    except FetchFailed as failure:
        return _failed(tools, entry, failure), ()
    finally:
        path.unlink(missing_ok=True)


async def _stored(tools: Downloads, entry: Recording, path: Path) -> tuple[Recording, Sequence[Recording]]:
    key = object_key(entry)
    earlier = await tools.store.recover(key, path) if entry.attempts > 1 else None
    fetched = earlier or await tools.source.fetch(entry, path)
    audio = await tools.audio.read(path)
    if not await tools.store.publish(path, key):
        # A worker that lost its lease was quicker: what it published counts, so that ledger and object agree.
        fetched = await tools.store.recover(key, path) or fetched
        audio = await tools.audio.read(path)
    now = tools.clock()
    done = stored(entry, key=key, sha256=fetched.sha256, size_bytes=fetched.size_bytes, audio=audio, now=now)
    beside = [found_beside(entry, name, part=part, now=now) for part, name in enumerate(fetched.beside, entry.part + 1)]
    return done, beside


def _failed(tools: Downloads, entry: Recording, failure: FetchFailed) -> Recording:
    first = tools.first_pause if entry.state is State.READY else _FIRST_QUESTION
    pause = delay_before(entry.failures + 2, jitter=random.random(), first=first)  # noqa: S311 - spreads retries
    return failed(
        entry,
        reason=failure.reason,
        detail=failure.detail,
        final=failure.final,
        attempts_allowed=tools.attempts_allowed,
        again_at=tools.clock() + max(pause, failure.retry_after or timedelta(0)),
    )
