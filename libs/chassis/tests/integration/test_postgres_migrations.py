import asyncio
import itertools
import sys
from collections.abc import AsyncIterator, Iterator
from datetime import timedelta
from pathlib import Path

import asyncpg
import pytest

from fareline_chassis.postgres.migrations import MigrationError, load_migrations, migrate, pending

FIRST = "CREATE TABLE orders (id text PRIMARY KEY);"
SECOND = "ALTER TABLE orders ADD COLUMN tenant text;"
THIRD = "ALTER TABLE orders ALTER COLUMN tenant SET NOT NULL;"
SOON = timedelta(milliseconds=100)


class Folder:
    """A package of migrations of the test's own."""

    def __init__(self, path: Path, package: str) -> None:
        self.path = path
        self.package = package

    def write(self, name: str, sql: str) -> None:
        (self.path / name).write_text(sql)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Folder]:
    package = f"migrations_{abs(hash(tmp_path))}"
    (tmp_path / package).mkdir()
    monkeypatch.syspath_prepend(str(tmp_path))
    made = Folder(tmp_path / package, package)
    made.write("0001_pre_orders.sql", FIRST)
    made.write("0002_pre_tenant.sql", SECOND)
    yield made
    sys.modules.pop(package, None)


@pytest.fixture
async def outside(database_url: str) -> AsyncIterator["asyncpg.Connection[asyncpg.Record]"]:
    connection = await asyncpg.connect(database_url)
    yield connection
    await connection.close()


async def test_each_file_is_applied_once_in_order_in_the_service_s_schema(
    database_url: str, folder: Folder, outside: "asyncpg.Connection[asyncpg.Record]"
) -> None:
    assert await pending(database_url, folder.package, "binder") == ["0001_pre_orders.sql", "0002_pre_tenant.sql"]
    assert await migrate(database_url, folder.package, "binder", "all") == [
        "0001_pre_orders.sql",
        "0002_pre_tenant.sql",
    ]
    assert await migrate(database_url, folder.package, "binder", "all") == []
    assert await pending(database_url, folder.package, "binder") == []
    assert await outside.fetchval("SELECT count(*) FROM binder.orders WHERE tenant IS NULL") == 0
    rows = await outside.fetch("SELECT name, length(sha256) AS digits FROM binder.schema_migrations ORDER BY name")
    assert [tuple(row) for row in rows] == [("0001_pre_orders.sql", 64), ("0002_pre_tenant.sql", 64)]


async def test_a_changed_file_is_named(database_url: str, folder: Folder) -> None:
    await migrate(database_url, folder.package, "binder", "all")
    folder.write("0001_pre_orders.sql", FIRST + " -- improved")
    for check in (
        migrate(database_url, folder.package, "binder", "all"),
        pending(database_url, folder.package, "binder"),
    ):
        with pytest.raises(MigrationError, match=r"0001_pre_orders\.sql was changed after it was applied"):
            await check


async def test_line_ends_are_no_change(database_url: str, folder: Folder) -> None:
    folder.write("0001_pre_orders.sql", FIRST + "\n-- end\n")
    await migrate(database_url, folder.package, "binder", "all")
    (folder.path / "0001_pre_orders.sql").write_bytes((FIRST + "\n-- end\n").replace("\n", "\r\n").encode())
    assert await pending(database_url, folder.package, "binder", "all") == []


async def test_phases_run_apart(database_url: str, folder: Folder) -> None:
    folder.write("0003_post_tenant_required.sql", THIRD)
    assert len(await migrate(database_url, folder.package, "binder", "pre")) == 2
    assert await pending(database_url, folder.package, "binder") == []
    assert await pending(database_url, folder.package, "binder", "all") == ["0003_post_tenant_required.sql"]
    assert await migrate(database_url, folder.package, "binder", "post") == ["0003_post_tenant_required.sql"]


async def test_a_phase_does_not_overtake_the_other(database_url: str, folder: Folder) -> None:
    folder.write("0003_post_tenant_required.sql", THIRD)
    folder.write("0004_pre_city.sql", "ALTER TABLE orders ADD COLUMN city text;")
    with pytest.raises(MigrationError, match=r"0004_pre_city\.sql comes after 0003_post_tenant_required\.sql"):
        await migrate(database_url, folder.package, "binder", "pre")
    assert await migrate(database_url, folder.package, "binder", "all") == [
        "0003_post_tenant_required.sql",
        "0004_pre_city.sql",
    ]


async def test_a_file_that_fails_leaves_nothing_of_itself(
    database_url: str, folder: Folder, outside: "asyncpg.Connection[asyncpg.Record]"
) -> None:
    folder.write("0003_pre_broken.sql", "CREATE TABLE half (n int); SELECT no_such_column FROM orders;")
    with pytest.raises(MigrationError, match=r"0003_pre_broken\.sql: column .* does not exist"):
        await migrate(database_url, folder.package, "binder", "all")
    assert await outside.fetchval("SELECT to_regclass('binder.half')") is None
    assert await pending(database_url, folder.package, "binder") == ["0003_pre_broken.sql"]


async def test_many_at_once_apply_each_file_once(database_url: str, folder: Folder) -> None:
    folder.write("0003_pre_slow.sql", "SELECT pg_sleep(0.3); CREATE TABLE slow (n int);")
    applied = await asyncio.gather(
        *(migrate(database_url, folder.package, "binder", "all", lock_timeout=SOON) for _ in range(8))
    )
    assert sorted(itertools.chain(*applied)) == ["0001_pre_orders.sql", "0002_pre_tenant.sql", "0003_pre_slow.sql"]


async def test_two_processes_at_once(database_url: str, folder: Folder) -> None:
    code = (
        "import asyncio, sys; from fareline_chassis.postgres.migrations import migrate\n"
        "print(len(asyncio.run(migrate(*sys.argv[1:4], 'all'))))"
    )
    processes = [
        await asyncio.create_subprocess_exec(
            sys.executable, "-c", code, database_url, folder.package, "binder",
            stdout=asyncio.subprocess.PIPE, env={"PYTHONPATH": str(folder.path.parent)},
        )
        for _ in range(2)
    ]  # fmt: skip
    counts = [int((await process.communicate())[0].split()[-1]) for process in processes]
    assert [process.returncode for process in processes] == [0, 0]
    assert sum(counts) == 2


async def test_a_lock_is_not_waited_for_long_but_again(
    database_url: str, folder: Folder, outside: "asyncpg.Connection[asyncpg.Record]"
) -> None:
    await migrate(database_url, folder.package, "binder", "all")
    folder.write("0003_pre_city.sql", "ALTER TABLE orders ADD COLUMN city text;")
    holding = outside.transaction()
    await holding.start()
    await outside.execute("LOCK TABLE binder.orders IN ACCESS SHARE MODE")
    migrating = asyncio.create_task(migrate(database_url, folder.package, "binder", "pre", lock_timeout=SOON))
    await asyncio.wait([migrating], timeout=0.6)
    assert not migrating.done()
    await holding.rollback()
    assert await migrating == ["0003_pre_city.sql"]


async def test_a_lock_never_released_is_an_error_that_says_so(
    database_url: str, folder: Folder, outside: "asyncpg.Connection[asyncpg.Record]", monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("fareline_chassis.postgres.migrations._ATTEMPTS", 2)
    await migrate(database_url, folder.package, "binder", "all")
    folder.write("0003_pre_city.sql", "ALTER TABLE orders ADD COLUMN city text;")
    async with outside.transaction():
        await outside.execute("LOCK TABLE binder.orders IN ACCESS SHARE MODE")
        with pytest.raises(MigrationError, match=r"0003_pre_city\.sql: a lock was not to be had"):
            await migrate(database_url, folder.package, "binder", "pre", lock_timeout=SOON)


async def test_a_turn_that_never_comes_is_an_error_that_says_so(
    database_url: str, folder: Folder, outside: "asyncpg.Connection[asyncpg.Record]"
) -> None:
    async with outside.transaction():
        await outside.execute(f"SELECT pg_advisory_xact_lock({0x4641524C}, hashtext('binder'))")
        with pytest.raises(MigrationError, match="another process is migrating"):
            await migrate(database_url, folder.package, "binder", "all", turn_timeout=SOON)


async def test_services_do_not_wait_for_each_other_s_schema(database_url: str, folder: Folder) -> None:
    both = await asyncio.gather(*(migrate(database_url, folder.package, name, "all") for name in ("binder", "ingest")))
    assert [len(applied) for applied in both] == [2, 2]


@pytest.mark.parametrize("name", ["3_pre_x.sql", "0003_x.sql", "0003_pre_X.sql", "0003_later_x.sql"])
async def test_a_name_that_does_not_fit_is_refused(folder: Folder, name: str) -> None:
    folder.write(name, FIRST)
    with pytest.raises(MigrationError, match=name.replace(".", r"\.")):
        load_migrations(folder.package)


def test_a_number_stands_once(folder: Folder) -> None:
    folder.write("0002_post_other.sql", SECOND)
    with pytest.raises(MigrationError, match="same number"):
        load_migrations(folder.package)


async def test_a_schema_is_a_plain_name(database_url: str, folder: Folder) -> None:
    with pytest.raises(MigrationError, match="cannot be a schema's name"):
        await migrate(database_url, folder.package, "a; DROP TABLE x", "all")


ALONE = "-- outside a transaction\n"
BY_TENANT = (
    ALONE + "-- Who asks by tenant.\nDROP INDEX CONCURRENTLY IF EXISTS orders_of_tenant;\n\n"
    "CREATE INDEX CONCURRENTLY orders_of_tenant\n    ON orders (tenant);\n"
)


async def usable(outside: "asyncpg.Connection[asyncpg.Record]", schema: str = "binder") -> dict[str, bool]:
    rows = await outside.fetch(
        "SELECT relname, indisvalid FROM pg_index JOIN pg_class ON pg_class.oid = indexrelid"
        " WHERE relnamespace = $1::regnamespace AND relname NOT LIKE '%pkey'",
        schema,
    )
    return {row["relname"]: row["indisvalid"] for row in rows}


async def test_an_index_is_built_while_others_write(
    database_url: str, folder: Folder, outside: "asyncpg.Connection[asyncpg.Record]"
) -> None:
    await migrate(database_url, folder.package, "binder", "all")
    folder.write("0003_pre_by_tenant.sql", BY_TENANT)
    writer = await asyncpg.connect(database_url)
    holding = outside.transaction()
    await holding.start()
    await outside.execute("INSERT INTO binder.orders (id) VALUES ('a')")
    migrating = asyncio.create_task(migrate(database_url, folder.package, "binder", "pre", lock_timeout=SOON))
    await asyncio.wait([migrating], timeout=0.6)
    assert not migrating.done(), "it waits for the transaction that was there before it, longer than lock_timeout"
    await writer.execute("SET lock_timeout = '5s'")
    await writer.execute("INSERT INTO binder.orders (id) VALUES ('b')")
    await holding.commit()
    assert await migrating == ["0003_pre_by_tenant.sql"]
    assert await usable(outside) == {"orders_of_tenant": True}
    await writer.close()


async def test_processes_that_wait_for_their_turn_do_not_hold_an_index_up(
    database_url: str, folder: Folder, outside: "asyncpg.Connection[asyncpg.Record]"
) -> None:
    folder.write("0003_pre_by_tenant.sql", BY_TENANT)
    folder.write("0004_pre_city.sql", "ALTER TABLE orders ADD COLUMN city text;")
    applied = await asyncio.gather(*(migrate(database_url, folder.package, "binder", "all") for _ in range(6)))
    assert sorted(itertools.chain(*applied))[2:] == ["0003_pre_by_tenant.sql", "0004_pre_city.sql"]
    assert await usable(outside) == {"orders_of_tenant": True}


async def test_what_ended_half_way_is_begun_again(
    database_url: str, folder: Folder, outside: "asyncpg.Connection[asyncpg.Record]"
) -> None:
    await migrate(database_url, folder.package, "binder", "all")
    await outside.execute("INSERT INTO binder.orders VALUES ('a', 'demo'), ('b', 'demo')")
    unique = BY_TENANT.replace("CREATE INDEX", "CREATE UNIQUE INDEX")
    folder.write("0003_pre_by_tenant.sql", unique)
    with pytest.raises(MigrationError, match=r"0003_pre_by_tenant\.sql: could not create unique index"):
        await migrate(database_url, folder.package, "binder", "all")
    assert await usable(outside) == {"orders_of_tenant": False}
    assert await pending(database_url, folder.package, "binder") == ["0003_pre_by_tenant.sql"]
    await outside.execute("DELETE FROM binder.orders WHERE id = 'b'")
    assert await migrate(database_url, folder.package, "binder", "all") == ["0003_pre_by_tenant.sql"]
    assert await usable(outside) == {"orders_of_tenant": True}


async def test_an_index_half_built_does_not_pass_for_one(
    database_url: str, folder: Folder, outside: "asyncpg.Connection[asyncpg.Record]"
) -> None:
    await migrate(database_url, folder.package, "binder", "all")
    await outside.execute("INSERT INTO binder.orders VALUES ('a', 'demo'), ('b', 'demo')")
    planted = ALONE + "CREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS orders_of_tenant ON orders (tenant);\n"
    folder.write("0003_pre_by_tenant.sql", planted)
    with pytest.raises(MigrationError, match="could not create unique index"):
        await migrate(database_url, folder.package, "binder", "all")
    await outside.execute("DELETE FROM binder.orders WHERE id = 'b'")
    with pytest.raises(MigrationError, match=r"0003_pre_by_tenant\.sql: not usable: orders_of_tenant"):
        await migrate(database_url, folder.package, "binder", "all")
    assert await pending(database_url, folder.package, "binder") == ["0003_pre_by_tenant.sql"]


CALLS = (
    "CREATE TABLE calls (at date NOT NULL, who text) PARTITION BY RANGE (at);\n"
    "CREATE TABLE calls_1 PARTITION OF calls FOR VALUES FROM ('2026-01-01') TO ('2026-02-01');\n"
    "CREATE TABLE calls_other PARTITION OF calls DEFAULT;\n"
)
BY_WHO = ALONE + (
    "DROP INDEX IF EXISTS calls_of_who;\n"
    "-- for each partition of calls\nDROP INDEX CONCURRENTLY IF EXISTS {partition}_of_who;\n"
    "-- for each partition of calls\nCREATE INDEX CONCURRENTLY {partition}_of_who ON {partition} (who);\n"
    "CREATE INDEX calls_of_who ON ONLY calls (who);\n"
    "-- for each partition of calls\nALTER INDEX calls_of_who ATTACH PARTITION {partition}_of_who;\n"
)


async def test_partitions_get_theirs_one_by_one(
    database_url: str, folder: Folder, outside: "asyncpg.Connection[asyncpg.Record]"
) -> None:
    folder.write("0003_pre_calls.sql", CALLS)
    folder.write("0004_pre_calls_of_who.sql", BY_WHO)
    await migrate(database_url, folder.package, "binder", "all")
    assert await usable(outside) == {"calls_of_who": True, "calls_1_of_who": True, "calls_other_of_who": True}


async def test_a_partition_left_out_is_found(database_url: str, folder: Folder) -> None:
    folder.write("0003_pre_calls.sql", CALLS)
    folder.write("0004_pre_calls_of_who.sql", BY_WHO[: BY_WHO.rindex("-- for each")])
    with pytest.raises(MigrationError, match=r"0004_pre_calls_of_who\.sql: not usable: calls_of_who"):
        await migrate(database_url, folder.package, "binder", "all")
