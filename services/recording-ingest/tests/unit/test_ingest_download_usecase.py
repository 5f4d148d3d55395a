"""The download use case: killed between any two steps and begun again, it stores once."""

import hashlib
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from recording_ingest.domain.recordings import Audio, Reason, Recording, State, object_key
from recording_ingest.outbound.storage import ObjectStorage
from recording_ingest.ports.downloads import Fetched, FetchFailed, Job
from recording_ingest.usecases.download_recording import Downloads, download_recording

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
AUDIO = Audio(1.0, "PCM_16", "WAV", 1, 8000, (-20.0,), (0.1,), ((1, 2),))
ENTRY = Recording("0a0b", "c-1", "a", "p", "demo", State.READY, source_id="s", attempts=1)


class Killed(BaseException):
    """The process ends here."""


class World:
    """Source, decoder and queue in one, each able to be the place of death."""

    def __init__(self, store: ObjectStorage) -> None:
        self.store = store
        self.dies_at = ""
        self.fetched = 0
        self.body = b"audio"
        self.finished: list[Recording] = []

    def _maybe_die(self, place: str) -> None:
        if self.dies_at == place:
            raise Killed

    async def fetch(self, entry: Recording, into: Path) -> Fetched:
        self.fetched += 1
        into.write_bytes(self.body[:2])
        self._maybe_die("fetch")
        into.write_bytes(self.body)
        return Fetched(hashlib.sha256(self.body).hexdigest(), len(self.body))

    async def read(self, path: Path) -> Audio:
        self._maybe_die("read")
        return AUDIO

    async def finish(self, job: Job, outcome: Recording, beside: Sequence[Recording] = ()) -> bool:
        self._maybe_die("finish")
        self.finished.append(outcome)
        return True

    async def lease(self, limit: int, *, lease_for: timedelta) -> list[Job]:
        raise NotImplementedError

    async def renew(self, job: Job, *, lease_for: timedelta) -> bool:
        raise NotImplementedError

    async def attempt(self, lease: str) -> None:
        tools = Downloads(self, self, self.store, self, lambda: NOW, timedelta(seconds=1), attempts_allowed=3)
        await download_recording(tools, Job(replace(ENTRY, attempts=1 if lease == "first" else 2), lease))


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(ObjectStorage(str(tmp_path)))


@pytest.mark.parametrize(("place", "fetches"), [("fetch", 2), ("read", 2), ("finish", 1)])
async def test_begun_again_after_a_death(world: World, place: str, fetches: int) -> None:
    world.dies_at = place
    with pytest.raises(Killed):
        await world.attempt("first")
    world.dies_at, world.body = "", b"other" if place == "finish" else world.body
    await world.attempt("second")
    (entry,) = world.finished
    assert (entry.state, entry.sha256) == (State.STORED, hashlib.sha256(b"audio").hexdigest())
    assert world.fetched == fetches
    assert b"".join([chunk async for chunk in world.store.read(object_key(ENTRY), 0, 5)]) == b"audio"


async def test_who_comes_second_takes_what_the_first_published(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    async def too_early(key: str, into: Path) -> None:
        monkeypatch.undo()

    await world.attempt("first")
    monkeypatch.setattr(world.store, "recover", too_early)
    world.body = b"other bytes"
    await world.attempt("second")
    assert [entry.sha256 for entry in world.finished] == [hashlib.sha256(b"audio").hexdigest()] * 2


async def test_a_recording_that_kills_every_worker_is_given_up(world: World) -> None:
    tools = Downloads(world, world, world.store, world, lambda: NOW, timedelta(seconds=1), attempts_allowed=3)
    poison = Recording("0a0b", "c-1", "a", "p", "demo", State.READY, source_id="s", attempts=22)
    entry = await download_recording(tools, Job(poison, "l"))
    assert entry is not None
    assert (entry.state, entry.reason) == (State.MISSING, Reason.SOURCE_FAILED)
    assert world.fetched == 0


async def test_a_failure_waits_as_long_as_the_source_asks(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    async def busy(entry: Recording, into: Path) -> Fetched:
        raise FetchFailed(Reason.SOURCE_FAILED, "429", retry_after=timedelta(minutes=5))

    monkeypatch.setattr(world, "fetch", busy)
    await world.attempt("first")
    assert world.finished[0].next_attempt_at == NOW + timedelta(minutes=5)
