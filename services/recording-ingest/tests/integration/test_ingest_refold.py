"""Rows made again from the kept events: what was lost or is out of date comes back, what is right is not touched."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from ingest_api import project
from ingest_keys import keys_file, vault
from ingest_stack import connected, migrated
from ingest_story import START, answered_call, routed

from fareline_chassis.postgres.pool import Database
from recording_ingest.domain.keeping import Person, Retention
from recording_ingest.outbound.postgres_calls import PostgresCalls
from recording_ingest.outbound.postgres_erasures import PostgresErasures
from recording_ingest.outbound.postgres_keeping import PostgresKeeping
from recording_ingest.outbound.postgres_projection import PostgresCallLog
from recording_ingest.outbound.storage import ObjectStorage
from recording_ingest.usecases import refold_calls as usecase
from recording_ingest.usecases.forget import Forgetting, erase_person
from recording_ingest.usecases.refold_calls import Refolded, refold_calls

CALLS = 7


@pytest.fixture
async def database(database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Database]:
    monkeypatch.setattr(usecase, "_AT_ONCE", 3)
    await migrated(database_url)
    async with connected(database_url) as database:
        for n in range(CALLS):
            await project(database, vault(tmp_path), answered_call(f"c-{n}", url="https://pbx.example/a.wav"))
        yield database


async def run(database: Database, sql: str, *values: object) -> list[Any]:
    async with database.acquire() as connection:
        return list(await connection.fetch(sql, *values))


async def table(database: Database) -> list[dict[str, object]]:
    sealed = {"caller_sealed", "target_sealed"}  # another ciphertext each time
    rows = await run(database, "SELECT * FROM calls ORDER BY call_id")
    return [{name: value for name, value in row.items() if name not in sealed} for row in rows]


def without_time(rows: list[dict[str, object]]) -> list[dict[str, object]]:
    return [{name: value for name, value in row.items() if name != "updated_at"} for row in rows]


async def test_what_is_right_is_not_touched(database: Database, tmp_path: Path) -> None:
    before = await table(database)
    assert await refold_calls(PostgresCallLog(database, vault(tmp_path))) == Refolded(CALLS, 0)
    assert await table(database) == before


async def test_lost_and_changed_rows_come_back(database: Database, tmp_path: Path) -> None:
    before, log = await table(database), PostgresCallLog(database, vault(tmp_path))
    await run(database, "DELETE FROM calls WHERE call_id = 'c-1'")
    await run(database, "UPDATE calls SET talk_s = 1, reason = 'old' WHERE call_id IN ('c-2', 'c-5')")
    await run(database, "UPDATE calls SET started_at = started_at - interval '1 hour' WHERE call_id = 'c-3'")
    await run(database, "UPDATE call_heads SET started_at = started_at - interval '1 hour' WHERE call_id = 'c-3'")
    assert await refold_calls(log) == Refolded(CALLS, 4)
    assert without_time(await table(database)) == without_time(before)
    await run(database, "TRUNCATE calls, call_heads")
    assert await refold_calls(log) == Refolded(CALLS, CALLS)
    assert without_time(await table(database)) == without_time(before)
    assert await refold_calls(log) == Refolded(CALLS, 0)


async def test_whoever_was_forgotten_does_not_come_back(database: Database, tmp_path: Path) -> None:
    phones = vault(tmp_path)
    await project(database, phones, [routed(call_id="other", caller="+79990001122")])
    keeping, erasures = PostgresKeeping(database, Retention()), PostgresErasures(database, phones)
    now = START + timedelta(days=1)
    tools = Forgetting(keeping, erasures, ObjectStorage(str(tmp_path)), lambda: now, timedelta(days=30))
    receipt = await erase_person(tools, Person("demo", ("+79031112233",)), actor="root")
    assert receipt.calls == CALLS
    before = await table(database)
    await run(database, "TRUNCATE calls")
    await refold_calls(PostgresCallLog(database, phones))
    assert without_time(await table(database)) == without_time(before)
    found = await PostgresCalls(database, phones).call("c-1")
    assert found is not None
    assert (found.row.caller, found.row.driver_id, found.row.talk_s) == (None, None, 51.0)


async def test_the_command_says_how_many(database: Database, database_url: str, tmp_path: Path) -> None:
    await run(database, "UPDATE calls SET reason = 'old' WHERE call_id = 'c-2'")
    known = {"DATABASE_URL": database_url, "FARELINE_PHONE_KEYS_FILE": str(keys_file(tmp_path)), "FARELINE_DEMO": "1"}
    argv = (sys.executable, "-m", "recording_ingest", "refold")
    process = await asyncio.create_subprocess_exec(*argv, env={**os.environ, **known}, stdout=asyncio.subprocess.PIPE)
    told, _ = await process.communicate()
    assert (process.returncode, told.decode()) == (0, f"folded again: {CALLS} calls, 1 of them changed\n")
