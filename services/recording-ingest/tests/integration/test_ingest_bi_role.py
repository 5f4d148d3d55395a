"""The role for dashboards reads the views, nothing else, and not for long."""

import asyncio
import os
import sys
import uuid
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import asyncpg
import pytest
from ingest_keys import keys_file
from ingest_stack import SCHEMA, migrated

from recording_ingest.outbound.grants import RoleRefused, grant_bi

MINUTE = timedelta(minutes=1)


@pytest.fixture
async def connection(database_url: str) -> AsyncIterator[asyncpg.Connection]:
    await migrated(database_url)
    connection = await asyncpg.connect(database_url, server_settings={"search_path": SCHEMA})
    try:
        yield connection
    finally:
        await connection.close()


@pytest.fixture
async def role(connection: asyncpg.Connection) -> AsyncIterator[str]:
    name = f"bi_{uuid.uuid4().hex[:12]}"
    yield name
    await connection.execute(f"RESET ROLE; DROP OWNED BY {name}; DROP ROLE {name}")


async def test_it_reads_the_views_and_nothing_else(connection: asyncpg.Connection, role: str) -> None:
    assert await grant_bi(connection, role, statement_timeout=MINUTE, connections=3)
    assert not await grant_bi(connection, role, statement_timeout=2 * MINUTE, connections=3)
    settings = await connection.fetchrow(
        "SELECT rolconfig, rolconnlimit, rolcanlogin FROM pg_roles WHERE rolname = $1", role
    )
    assert settings is not None
    assert {"statement_timeout=120000ms", "default_transaction_read_only=on"} <= set(settings["rolconfig"])
    assert (settings["rolconnlimit"], settings["rolcanlogin"]) == (3, True)
    await connection.execute(f"SET ROLE {role}")
    assert await connection.fetch("SELECT * FROM analytics.calls") == []
    for table in ("calls", "call_events", "recordings", "access_log"):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await connection.fetch(f"SELECT * FROM {SCHEMA}.{table}")
    for attempt in ("DELETE FROM analytics.calls", "CREATE TABLE analytics.mine ()"):
        with pytest.raises(asyncpg.PostgresError):
            await connection.execute(attempt)


@pytest.mark.parametrize("name", ["", "Bi", "1bi", 'bi" SUPERUSER; --', "b" * 64])
async def test_a_name_that_is_none_is_refused(connection: asyncpg.Connection, name: str) -> None:
    with pytest.raises(RoleRefused):
        await grant_bi(connection, name, statement_timeout=MINUTE, connections=1)


async def test_the_commands_do_it(connection: asyncpg.Connection, role: str, database_url: str, tmp_path: Path) -> None:
    environment = {**os.environ, "DATABASE_URL": database_url, "FARELINE_PHONE_KEYS_FILE": str(keys_file(tmp_path))}

    async def run(*arguments: str) -> tuple[int | None, str]:
        command = [sys.executable, "-m", "recording_ingest", *arguments]
        process = await asyncio.create_subprocess_exec(*command, env=environment, stdout=asyncio.subprocess.PIPE)
        out, _ = await process.communicate()
        return process.returncode, out.decode()

    assert await run("grant-bi", role) == (
        0,
        f"{role} may read schema analytics; give it a password with \\password in psql\n",
    )
    assert await run("reseal") == (0, "rewritten: 0 events, 0 calls, 0 recordings\n")
