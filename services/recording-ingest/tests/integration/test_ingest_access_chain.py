"""The command that follows the access log, over logs with which somebody meddled who owns the database."""

import asyncio
import os
import re
import sys
import uuid
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest
from ingest_keys import vault
from ingest_stack import connected, migrated
from ingest_story import START

from fareline_chassis.postgres.pool import Database
from recording_ingest.domain.access_chain import GENESIS
from recording_ingest.outbound import access_chain
from recording_ingest.outbound.access_chain import walk_access_log
from recording_ingest.outbound.postgres_reading import PostgresReader
from recording_ingest.ports.access_log import Access, Asker

ROWS = 7
SOMEBODY = Asker("somebody", "bearer token", "r-1", "10.0.0.1", "case 17")
INSERT = (
    "INSERT INTO access_log (access_id, recording_id, call_id, actor, action, at, previous, hash) OVERRIDING SYSTEM VALUE"
    " SELECT access_id + 1, recording_id, call_id, 'nobody', action, at, hash, '' FROM access_log"
    " WHERE access_id = $1"
)
REHASH = "UPDATE access_log SET hash = access_row_hash(previous, access_log) WHERE access_id = $1 + 1"
CHANGE = "UPDATE access_log SET actor = 'nobody' WHERE access_id = $1"
REMOVE = "DELETE FROM access_log WHERE access_id = $1"


@pytest.fixture
async def database(database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Database]:
    monkeypatch.setattr(access_chain, "_AT_ONCE", 2)
    await migrated(database_url)
    async with connected(database_url) as database:
        reader = PostgresReader(database, vault(tmp_path))
        for second in range(ROWS):
            part = None if second % 2 else "bytes 0-9/10"
            at = START + timedelta(seconds=second)
            await reader.log_access(Access(str(uuid.uuid4()), "c-1", "demo", SOMEBODY, "listen", at, part))
        yield database


async def ids(database: Database) -> list[int]:
    async with database.acquire() as connection:
        return [row["access_id"] for row in await connection.fetch("SELECT access_id FROM access_log ORDER BY 1")]


async def meddle(database: Database, access_id: int, *statements: str) -> None:
    async with database.transaction() as connection:
        await connection.execute("ALTER TABLE access_log DISABLE TRIGGER USER")
        for statement in statements:
            await connection.execute(statement, access_id)
        await connection.execute("ALTER TABLE access_log ENABLE TRIGGER USER")


async def broken(database: Database, kept: bytes | None = None) -> str | None:
    async with database.acquire() as connection:
        return (await walk_access_log(connection, kept)).broken


async def test_a_row_changed_is_the_first_that_is_told(database: Database) -> None:
    assert await broken(database) is None
    _, second, _, fourth, *_ = await ids(database)
    await meddle(database, fourth, CHANGE)
    assert str(await broken(database)).startswith(f"row {fourth}: it was changed")
    await meddle(database, second, CHANGE)
    assert str(await broken(database)).startswith(f"row {second}: it was changed")


async def test_a_row_removed_is_told_by_the_next(database: Database) -> None:
    _, second, third, fourth, *_ = await ids(database)
    await meddle(database, third, REMOVE)
    assert str(await broken(database)).startswith(f"row {fourth}: it does not follow on row {second}")


async def test_the_last_row_removed_is_told_by_the_head(database: Database) -> None:
    *_, before, last = await ids(database)
    await meddle(database, last, REMOVE)
    assert str(await broken(database)).startswith(f"after row {before}: the log does not end there")


async def test_a_row_put_between_fits_and_gives_the_next_one_away(database: Database) -> None:
    _, second, third, *_ = await ids(database)
    await meddle(database, second, INSERT, REHASH)
    assert str(await broken(database)).startswith(f"row {third}: it does not follow on row {second + 1}")


async def test_a_hash_that_was_made_to_fit_gives_the_next_row_away(database: Database) -> None:
    _, second, third, *_ = await ids(database)
    await meddle(database, second, CHANGE, REHASH.replace("$1 + 1", "$1"))
    assert str(await broken(database)).startswith(f"row {third}: it does not follow on row {second}")


async def test_a_log_written_anew_fits_but_not_with_what_was_kept(database: Database, tmp_path: Path) -> None:
    async with database.acquire() as connection:
        kept = (await walk_access_log(connection)).last_hash
        await connection.execute("ALTER TABLE access_log DISABLE TRIGGER access_log_append_only")
        await connection.execute("DELETE FROM access_log")
        await connection.execute("UPDATE access_chain SET hash = $1", GENESIS)
        await connection.execute("ALTER TABLE access_log ENABLE TRIGGER access_log_append_only")
    reader = PostgresReader(database, vault(tmp_path))
    await reader.log_access(Access(str(uuid.uuid4()), "c-1", None, SOMEBODY, "listen", START))
    assert await broken(database) is None
    assert "the hash that was kept" in str(await broken(database, kept))


async def test_the_command_says_so_and_ends_with_1(database: Database, database_url: str) -> None:
    async def said(*options: str) -> tuple[int | None, str]:
        argv = (sys.executable, "-m", "recording_ingest", "verify-access-log", *options)
        process = await asyncio.create_subprocess_exec(
            *argv,
            env={**os.environ, "DATABASE_URL": database_url},
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        told, _ = await process.communicate()
        return process.returncode, told.decode()

    code, told = await said()
    found = re.fullmatch(rf"the access log is whole: {ROWS} rows, the last hash is ([0-9a-f]{{64}})\n", told)
    assert code == 0
    assert found is not None, told
    assert (await said("--kept", found[1]))[0] == 0
    assert (await said("--kept", "0" * 64))[0] == 1
    assert (await said("--kept", "abc"))[0] == 2
    second = (await ids(database))[1]
    await meddle(database, second, CHANGE)
    code, told = await said()
    assert (code, told.partition(": it")[0]) == (1, f"the access log is broken: row {second}")
