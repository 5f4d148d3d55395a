"""schema.sql is what all migrations together leave, and months are made without losing rows."""

from datetime import UTC, date, datetime
from importlib.resources import files

import asyncpg
from ingest_stack import SCHEMA, migrated

from fareline_devstack.postgres.databases import create_database, drop_database

CATALOGUE = """
SELECT 'column', CASE table_schema WHEN 'analytics' THEN 'analytics.' ELSE '' END || table_name, column_name, ordinal_position::text, data_type, is_nullable, coalesce(column_default, '')
FROM information_schema.columns WHERE table_schema IN ($1, 'analytics')
UNION ALL SELECT 'index', tablename, indexname, '', indexdef, '', '' FROM pg_indexes WHERE schemaname = $1
UNION ALL SELECT 'constraint', conrelid::regclass::text, conname, '', pg_get_constraintdef(oid), '', ''
    FROM pg_constraint WHERE connamespace = $1::regnamespace
UNION ALL SELECT 'function', proname, '', '', pg_get_functiondef(oid), '', ''
    FROM pg_proc WHERE pronamespace = $1::regnamespace
UNION ALL SELECT 'view', viewname, '', '', definition, '', '' FROM pg_views WHERE schemaname = 'analytics'
UNION ALL SELECT 'trigger', tgrelid::regclass::text, tgname, '', pg_get_triggerdef(oid), '', ''
    FROM pg_trigger WHERE NOT tgisinternal AND tgrelid IN (SELECT oid FROM pg_class WHERE relnamespace = $1::regnamespace)
ORDER BY 1, 2, 3, 4
"""


async def catalogue(connection: asyncpg.Connection) -> list[tuple[str, ...]]:
    rows = await connection.fetch(CATALOGUE, SCHEMA)
    return [tuple(row.values()) for row in rows if "schema_migrations" not in row.values()]


async def test_the_schema_file_is_current(database_url: str, postgres_server: str) -> None:
    await migrated(database_url)
    other_url = await create_database(postgres_server, "ingest_schema_file")
    written = files("recording_ingest").joinpath("schema.sql").read_text()
    migrated_db, file_db = await asyncpg.connect(database_url), await asyncpg.connect(other_url)
    try:
        await file_db.execute(f"CREATE SCHEMA {SCHEMA}")
        await file_db.execute(f"SET search_path = {SCHEMA}; {written}")
        await migrated_db.execute(f"SET search_path = {SCHEMA}")
        found = await catalogue(file_db)
        assert any("schema_migrations" not in row for row in found)
        relevant = [row for row in await catalogue(migrated_db) if not row[1].startswith("schema_migrations")]
        assert relevant == found
    finally:
        await migrated_db.close()
        await file_db.close()
        await drop_database(postgres_server, "ingest_schema_file")


async def test_a_month_takes_the_rows_that_waited_for_it(database_url: str) -> None:
    await migrated(database_url)
    connection = await asyncpg.connect(database_url, server_settings={"search_path": SCHEMA})
    insert = (
        "INSERT INTO calls (call_id, account, pbx_call_id, row_state, started_at, dials, steps, recording_due, updated_at)"
        " VALUES ($1, 'a', 'p', 'partial', $2, 0, 0, false, now())"
    )
    try:
        await connection.execute(insert, "in", datetime(2026, 11, 30, 23, 59, 59, tzinfo=UTC))
        await connection.execute(insert, "out", datetime(2026, 12, 1, tzinfo=UTC))
        assert await connection.fetchval("SELECT make_month($1)", date(2026, 11, 1))
        assert not await connection.fetchval("SELECT make_month($1)", date(2026, 11, 1))
        rows = await connection.fetch("SELECT call_id, tableoid::regclass::text AS place FROM calls ORDER BY call_id")
        assert [tuple(row) for row in rows] == [("in", "calls_2026_11"), ("out", "calls_other")]
    finally:
        await connection.close()
