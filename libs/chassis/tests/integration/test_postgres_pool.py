import asyncio
import os
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import asyncpg
import pytest
import uvloop
from eventually import eventually

from fareline_chassis.health import Health, HealthComponent
from fareline_chassis.postgres.errors import DatabaseUnavailable, classify
from fareline_chassis.postgres.listener import Listener
from fareline_chassis.postgres.pool import Connection, Database
from fareline_devstack.postgres.native import NativePostgres


@pytest.fixture
def part() -> HealthComponent:
    return Health().component("postgres")


@pytest.fixture
async def database(database_url: str, part: HealthComponent) -> AsyncIterator[Database]:
    opened = Database(database_url, 1, 4, part, application_name="pool-test")
    await opened.connect()
    yield opened
    await opened.close()


@asynccontextmanager
async def opened(database: Database) -> AsyncIterator[Database]:
    try:
        yield database
    finally:
        await database.close()


@pytest.fixture
async def outside(database_url: str) -> AsyncIterator["asyncpg.Connection[asyncpg.Record]"]:
    connection = await asyncpg.connect(database_url)
    yield connection
    await connection.close()


async def test_jsonb_and_json_are_python_objects(database: Database) -> None:
    value = {"a": [1, 2.5, None, "ё"], "b": {"c": True}}
    async with database.acquire() as connection:
        assert await connection.fetchval("SELECT $1::jsonb", value) == value
        assert await connection.fetchval("SELECT $1::json", value) == value
        assert await connection.fetchval("SELECT ($1::jsonb) -> 'b' ->> 'c'", value) == "true"
        assert await connection.fetchval("SELECT $1::jsonb[]", [value, value]) == [value, value]


async def test_sessions_are_in_utc_and_named(database: Database) -> None:
    async with database.acquire() as connection:
        assert await connection.fetchval("SHOW timezone") == "UTC"
        assert await connection.fetchval("SHOW application_name") == "pool-test"


async def test_a_search_path_is_set_on_every_connection(database_url: str, part: HealthComponent) -> None:
    async with opened(Database(database_url, 1, 2, part, search_path="order_binder, public")) as database:
        await database.connect()
        async with database.acquire() as one, database.acquire() as other:
            for connection in (one, other):
                assert await connection.fetchval("SHOW search_path") == "order_binder, public"


async def test_a_transaction_is_kept_or_not_as_its_block_ends(database: Database) -> None:
    async with database.transaction() as connection:
        await connection.execute("CREATE TABLE t (n int)")

    async def fail_halfway() -> None:
        async with database.transaction() as connection:
            await connection.execute("INSERT INTO t VALUES (1)")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        await fail_halfway()
    async with database.transaction(isolation="repeatable_read", readonly=True) as connection:
        assert await connection.fetchval("SELECT count(*) FROM t") == 0


async def test_without_a_connection_it_says_so(database_url: str, part: HealthComponent) -> None:
    database = Database(database_url, 1, 2, part)
    with pytest.raises(DatabaseUnavailable, match="not connected"):
        async with database.acquire():
            pass
    await database.connect()
    assert part.state == "ok"
    await database.close()
    assert part.state == "waiting"
    with pytest.raises(DatabaseUnavailable):
        async with database.transaction():
            pass


async def test_serialisation_failures_and_deadlocks_are_tried_again(database: Database) -> None:
    async with database.acquire() as connection:
        await connection.execute("CREATE TABLE n AS SELECT id, 0 AS value FROM generate_series(1, 2) AS id")
    runs: list[tuple[int, int]] = []
    each_has_its_first = asyncio.Barrier(2)

    async def add(connection: Connection, first: int, second: int) -> None:
        runs.append((first, second))
        await connection.execute("UPDATE n SET value = value + 1 WHERE id = $1", first)
        if runs.count((first, second)) == 1:
            await each_has_its_first.wait()
        await connection.execute("UPDATE n SET value = value + 1 WHERE id = $1", second)

    async def one(first: int, second: int) -> None:
        await database.in_transaction(lambda connection: add(connection, first, second), attempts=20)

    await asyncio.gather(one(1, 2), one(2, 1))
    async with database.acquire() as connection:
        assert [row["value"] for row in await connection.fetch("SELECT value FROM n ORDER BY id")] == [2, 2]
    assert len(runs) > 2, "neither was the deadlock's victim, so nothing was shown"


async def test_a_lost_connection_is_tried_again(
    database: Database, outside: "asyncpg.Connection[asyncpg.Record]", part: HealthComponent
) -> None:
    runs: list[int] = []

    async def work(connection: Connection) -> Any:
        runs.append(await connection.fetchval("SELECT pg_backend_pid()"))
        if len(runs) == 1:
            await outside.execute("SELECT pg_terminate_backend($1)", runs[0])
            await connection.execute("SELECT 1")
        return "done"

    assert await database.in_transaction(work) == "done"
    assert len(set(runs)) == 2
    assert part.state == "ok"


async def test_the_record_s_fault_is_not_tried_again(database: Database) -> None:
    runs: list[int] = []

    async def work(connection: Connection) -> None:
        runs.append(1)
        await connection.execute("SELECT $1::int4", "no number")

    with pytest.raises(asyncpg.DataError) as error:
        await database.in_transaction(work)
    assert classify(error.value) == "record"
    assert runs == [1]


async def test_attempts_are_bounded(database: Database) -> None:
    runs: list[int] = []

    async def work(connection: Connection) -> None:
        runs.append(1)
        await connection.execute("DO $$ BEGIN RAISE SQLSTATE '40001'; END $$")

    with pytest.raises(asyncpg.SerializationError):
        await database.in_transaction(work, attempts=3)
    assert runs == [1, 1, 1]


async def test_it_comes_and_goes_with_the_server(own_postgres: NativePostgres, part: HealthComponent) -> None:
    """Not there at start, there, gone, there again: each is said, and nothing has to be started anew."""
    database = Database(own_postgres.address, 1, 2, part)
    async with opened(database):
        connecting = asyncio.create_task(database.connect())
        await eventually(lambda: said(part, "waiting for PostgreSQL: "))
        await asyncio.to_thread(own_postgres.start)
        await connecting
        assert part.state == "ok"

        await asyncio.to_thread(own_postgres.stop)
        await eventually(lambda: refuses(database))
        assert part.state == "failed"

        await asyncio.to_thread(own_postgres.start)
        await eventually(lambda: works(database))
        assert part.state == "ok"


def test_whatever_a_killed_server_makes_of_a_transaction_is_the_moments_fault(
    own_postgres: NativePostgres, part: HealthComponent
) -> None:
    """On uvloop, as services run: it has words of its own for a connection that has just gone."""
    own_postgres.start()
    blamed = uvloop.run(killed_at_work(own_postgres.address, part))
    assert {type(error).__name__ for error in blamed if classify(error) != "transient"} == set()
    assert blamed


async def killed_at_work(dsn: str, part: HealthComponent) -> list[Exception]:
    """Return what transactions raise while the server is killed under them."""
    database, blamed = Database(dsn, 8, 8, part), []

    async def work() -> None:
        while len(blamed) < 200:
            try:
                async with database.transaction() as connection:
                    await connection.fetch("SELECT g FROM generate_series(1, $1) AS g", 20)
            except Exception as error:  # noqa: BLE001 - its kind is what the test is about
                blamed.append(error)

    async with opened(database):
        await database.connect()
        async with database.acquire() as connection:
            server = int((await connection.fetchval("SELECT pg_read_file('postmaster.pid')")).split()[0])
        async with asyncio.TaskGroup() as group:
            for _ in range(8):
                group.create_task(work())
            await asyncio.sleep(0.5)
            os.kill(server, signal.SIGKILL)
    return blamed


async def said(part: HealthComponent, text: str) -> bool:
    return text in part.detail


async def works(database: Database) -> bool:
    try:
        async with database.acquire() as connection:
            return bool(await connection.fetchval("SELECT true"))
    except Exception as error:  # noqa: BLE001 - its kind is checked
        assert classify(error) == "transient"  # noqa: PT017
        return False


async def refuses(database: Database) -> bool:
    return not await works(database)


async def heard_of(heard: list[tuple[str, str]], wanted: list[tuple[str, str]]) -> bool:
    return heard == wanted


async def test_a_listener_hears_and_hears_again_after_a_loss(
    database_url: str, outside: "asyncpg.Connection[asyncpg.Record]"
) -> None:
    heard: list[tuple[str, str]] = []
    channels = ("unpublished", "other")
    listener = Listener(database_url, {name: lambda said, name=name: heard.append((name, said)) for name in channels})
    running = asyncio.create_task(listener.run())
    anything = [(name, "") for name in channels]
    try:
        await eventually(lambda: heard_of(heard, anything))

        heard.clear()
        await outside.execute("SELECT pg_notify('unpublished', 'o-1')")
        await eventually(lambda: heard_of(heard, [("unpublished", "o-1")]))

        heard.clear()
        await outside.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'listen-unpublished+other'"
        )
        await eventually(lambda: heard_of(heard, anything))

        heard.clear()
        await outside.execute("SELECT pg_notify('unpublished', '')")
        await eventually(lambda: heard_of(heard, [("unpublished", "")]))
    finally:
        running.cancel()
        await asyncio.wait([running])
    assert running.cancelled()


@pytest.mark.parametrize("stopped", ["between two statements", "between two messages of a statement"])
async def test_whoever_freezes_in_a_transaction_holds_its_locks_for_a_moment_only(
    database_url: str, part: HealthComponent, outside: "asyncpg.Connection[asyncpg.Record]", stopped: str
) -> None:
    """A driver that prepares a statement makes the server await its next message: no pause, in PostgreSQL's count."""
    database = Database(database_url, 1, 2, part, longest_pause=timedelta(seconds=2))
    async with opened(database):
        await database.connect()
        await outside.execute("CREATE TABLE t AS SELECT 1 AS n")
        lost = False
        try:
            async with database.transaction() as connection:
                await connection.execute("UPDATE t SET n = 2")
                if stopped == "between two messages of a statement":
                    await connection.prepare("SELECT n + 1 FROM t")
                async with asyncio.timeout(30):
                    await outside.execute("UPDATE t SET n = 3")
                lost = True
                await connection.fetchval("SELECT n FROM t")
        except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError):
            assert lost
        assert await outside.fetchval("SELECT n FROM t") == 3
