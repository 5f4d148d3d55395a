"""The readable schema.sql and the migrations make the same tables and functions."""

from pathlib import Path

import order_binder

COLUMNS = """
SELECT table_name, column_name, data_type, is_nullable, regexp_replace(column_default, $1 || '\\.', '')
FROM information_schema.columns
WHERE table_schema = $1 AND table_name <> 'schema_migrations'
ORDER BY table_name, ordinal_position
"""
INDEXES = """
SELECT replace(indexdef, $1 || '.', '') FROM pg_indexes
WHERE schemaname = $1 AND tablename <> 'schema_migrations'
ORDER BY 1
"""
CONSTRAINTS = """
SELECT replace(conrelid::regclass::text, $1 || '.', ''), conname,
       replace(pg_get_constraintdef(oid), $1 || '.', '')
FROM pg_constraint
WHERE connamespace = $1::regnamespace AND conrelid::regclass::text NOT LIKE '%schema_migrations'
ORDER BY 1, 2
"""
COMMENTS = """
SELECT replace(objoid::regclass::text, $1 || '.', ''), objsubid, description
FROM pg_description JOIN pg_class ON pg_class.oid = objoid
WHERE relnamespace = $1::regnamespace
ORDER BY 1, 2
"""
FUNCTIONS = """
SELECT proname, prosrc, replace(pg_get_functiondef(oid), $1 || '.', ''), obj_description(oid, 'pg_proc')
FROM pg_proc
WHERE pronamespace = $1::regnamespace
ORDER BY 1
"""


async def test_schema_sql_is_what_all_migrations_make(database):
    schema_sql = (Path(order_binder.__file__).parent / "schema.sql").read_text()
    async with database.acquire() as connection:
        await connection.execute("CREATE SCHEMA readable; SET search_path = readable")
        await connection.execute(schema_sql)
        await connection.execute("SET search_path = public")
        for query in (COLUMNS, INDEXES, CONSTRAINTS, COMMENTS, FUNCTIONS):
            migrated = await connection.fetch(query, "order_binder")
            readable = await connection.fetch(query, "readable")
            assert migrated
            assert [tuple(row) for row in readable] == [tuple(row) for row in migrated]
