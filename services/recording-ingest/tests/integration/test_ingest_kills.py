"""Killed at every step, or at any time, with a source that does its worst: stored once and right, or missing and why."""

import asyncio
import hashlib
import os
import random
import signal
import uuid
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from ingest_killable import Nursery, Orders
from ingest_nasty import BEHAVIOURS, WHOLE, NastySource, body_of
from ingest_source import file_source
from ingest_stack import connected, migrated

from fareline_chassis.postgres.pool import Database
from recording_ingest.outbound.storage import ObjectStorage

SILENT = "drips"
MANY = int(os.environ.get("FARELINE_KILLED_RECORDINGS", "150"))
"""How many recordings three workers share while they are killed; the long run sets 10,000."""


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    await migrated(database_url)
    async with connected(database_url) as database:
        yield database


@pytest.fixture
def nursery() -> Iterator[Nursery]:
    made = Nursery()
    yield made
    made.close()


@pytest.fixture
async def nasty() -> AsyncIterator[NastySource]:
    async with file_source() as source:
        yield NastySource(source)


async def announce(database: Database, nasty: NastySource, named: dict[str, str]) -> None:
    """Put recordings (name: behaviour) into the queue."""
    async with database.acquire() as connection:
        await connection.executemany(
            "INSERT INTO recordings (recording_id, call_id, account, pbx_call_id, tenant, state, part, source_id, url,"
            " attempts, detail, next_attempt_at)"
            " VALUES ($1, $2, 'demo-generic', $2, 'demo', 'ready', 1, 'r', $3, 0, '', now())",
            [(uuid.uuid4(), name, nasty.url(behaviour, name)) for name, behaviour in named.items()],
        )


async def check(database: Database, storage: Path, named: dict[str, str]) -> None:
    """Compare every recording's end with what its source makes of it, and storage with the ledger."""
    async with database.acquire() as connection:
        rows = await connection.fetch("SELECT * FROM recordings")
    ends = {row["call_id"]: (row["state"], row["sha256"] or row["reason"], row["revision"]) for row in rows}
    assert ends == {name: (*expected(name, behaviour), 1) for name, behaviour in named.items()}
    kept = {str(path.relative_to(storage)): path for path in (storage / "audio").rglob("*") if path.is_file()}
    stored = {row["object_key"]: row["sha256"] for row in rows if row["state"] == "stored"}
    assert {key: hashlib.sha256(path.read_bytes()).hexdigest() for key, path in kept.items()} == stored
    ObjectStorage(str(storage)).sweep(older_than=timedelta(seconds=-5))
    assert list((storage / "incoming").iterdir()) == []


def expected(name: str, behaviour: str) -> tuple[str, str]:
    reason = BEHAVIOURS[behaviour][1]
    return ("missing", reason) if reason else ("stored", hashlib.sha256(body_of(name)).hexdigest())


async def free(database: Database, *, but: str = "") -> None:
    """End all leases; nobody gets the recordings of the behaviour `but`."""
    async with database.acquire() as connection:
        await connection.execute(
            "UPDATE recordings SET lease_until = now() + CASE WHEN starts_with(call_id, $1 || '-') THEN interval '1 h'"
            " ELSE interval '0' END WHERE state IN ('expected', 'ready')",
            but,
        )


def patience(behaviour: str) -> float:
    """Return how long a source may be silent: on a busy machine one that is not may need its time."""
    return 0.4 if behaviour == SILENT else 20.0


async def settled(database: Database) -> int:
    async with database.acquire() as connection:
        return int(await connection.fetchval("SELECT count(*) FROM recordings WHERE state IN ('stored', 'missing')"))


async def kill(pid: int, database: Database, *, after: int) -> None:
    """Kill a worker once so many more recordings have ended, by whomever: not by the clock, which slow machines race."""
    begun = await settled(database)
    while await settled(database) < begun + after:
        await asyncio.sleep(0.03)
    os.kill(pid, signal.SIGKILL)


async def lives(nursery: Nursery, orders: Orders) -> int:
    """Return how a worker ended."""
    return await asyncio.to_thread(nursery.wait, nursery.start(orders))


async def test_killed_at_every_await(
    database: Database, nursery: Nursery, nasty: NastySource, database_url: str, tmp_path: Path
) -> None:
    storage = tmp_path / "storage"
    storage.mkdir()
    named: dict[str, str] = {}
    for step in range(500):
        named[f"c-{step}"] = WHOLE
        await announce(database, nasty, {f"c-{step}": WHOLE})
        ended = await lives(nursery, Orders(database_url, str(storage), lease_s=300, kill_at=step))
        if ended == 0:
            break
        assert ended == -signal.SIGKILL
    assert step > 30, "the work has fewer steps than it can have"
    await free(database)
    assert await lives(nursery, Orders(database_url, str(storage), lease_s=300, at_a_time=4)) == 0
    await check(database, storage, named)


@pytest.mark.parametrize("seed", range(2))
async def test_killed_somewhere_whatever_the_source_does(
    database: Database, nursery: Nursery, nasty: NastySource, database_url: str, tmp_path: Path, seed: int
) -> None:
    storage = tmp_path / "storage"
    storage.mkdir()
    drawn = random.Random(seed)
    named = {f"{behaviour}-{seed}": behaviour for behaviour in BEHAVIOURS}
    for name, behaviour in named.items():
        await announce(database, nasty, {name: behaviour})
        doomed = Orders(
            database_url, str(storage), lease_s=300, kill_at=drawn.randrange(45), read_s=patience(behaviour)
        )
        await lives(nursery, doomed)
    for but, left in ((SILENT, WHOLE), ("", SILENT)):
        await free(database, but=but)
        last = Orders(database_url, str(storage), lease_s=300, at_a_time=8, read_s=patience(left))
        assert await lives(nursery, last) == 0
    await check(database, storage, named)


@pytest.mark.timeout(3600)
async def test_three_workers_killed_at_random(
    database: Database, nasty: NastySource, database_url: str, tmp_path: Path
) -> None:
    storage = tmp_path / "storage"
    storage.mkdir()
    drawn = random.Random(7)
    kinds = [kind for kind in BEHAVIOURS if kind != SILENT]
    named = {f"c-{n}": kinds[n % len(kinds)] if n % 10 == 0 else WHOLE for n in range(MANY)}
    await announce(database, nasty, named)
    orders = Orders(database_url, str(storage), lease_s=6, at_a_time=6)
    ends: Counter[int] = Counter()

    async def worker() -> None:
        host = Nursery()
        try:
            ended = -1
            while ended != 0:
                pid = host.start(orders)
                killer = asyncio.create_task(kill(pid, database, after=drawn.randint(2, 2 + MANY // 12)))
                ended = await asyncio.to_thread(host.wait, pid)
                killer.cancel()
                ends[ended] += 1
        finally:
            host.close()

    await asyncio.gather(*(worker() for _ in range(3)))
    assert ends[0] == 3
    assert ends[-signal.SIGKILL] > 0, "nobody was killed"
    await check(database, storage, named)
