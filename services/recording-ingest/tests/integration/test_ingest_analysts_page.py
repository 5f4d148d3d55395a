"""docs/analysts.md says what the database has: every view's columns and types, in order, and SQL that runs."""

import re
from collections.abc import AsyncIterator

import asyncpg
import pytest
from ingest_stack import migrated

SHORT = {"timestamp with time zone": "timestamptz", "double precision": "float8"}
COLUMNS = (
    "SELECT column_name AS name, data_type AS type FROM information_schema.columns"
    " WHERE table_schema = 'analytics' AND table_name = $1 ORDER BY ordinal_position"
)


@pytest.fixture
def page(pytestconfig: pytest.Config) -> str:
    return (pytestconfig.rootpath / "docs" / "analysts.md").read_text()


@pytest.fixture
async def connection(database_url: str) -> AsyncIterator[asyncpg.Connection]:
    await migrated(database_url)
    connection = await asyncpg.connect(database_url)
    try:
        yield connection
    finally:
        await connection.close()


async def test_the_dictionary_is_current(connection: asyncpg.Connection, page: str) -> None:
    sections = re.split(r"^### analytics\.(\w+)$", page, flags=re.MULTILINE)[1:]
    described = dict(zip(sections[::2], sections[1::2], strict=True))
    own = {"contact_attempts", "daily_called_again", "daily_service", "recording_coverage"}
    assert set(described) == own | {"calls", "recordings"}
    for view, text in described.items():
        rows = re.findall(r"^\| (\w+) \| (\w+) \| ?(.*?) ?\|$", text, flags=re.MULTILINE)
        found = [(row["name"], SHORT.get(row["type"], row["type"])) for row in await connection.fetch(COLUMNS, view)]
        assert [(name, kind) for name, kind, _ in rows if name != "column"] == found, view


async def test_every_measure_is_explained(connection: asyncpg.Connection, page: str) -> None:
    (table,) = re.findall(r"\| measure \|.*?\n\n", page, flags=re.DOTALL)
    named = [
        name for names in re.findall(r"^\| ([a-z0-9_, ]+) \|", table, flags=re.MULTILINE) for name in names.split(", ")
    ]
    for view, keys in (("daily", 2), ("hourly", 2), ("daily_by_number", 3), ("daily_by_reason", 3)):
        found = [row["name"] for row in await connection.fetch(COLUMNS, view)]
        assert found[keys:] == named[1:], view


async def test_the_examples_run(connection: asyncpg.Connection, page: str) -> None:
    (sql,) = re.findall(r"```sql\n(.*?)```", page, flags=re.DOTALL)
    statements = [part for part in sql.split(";") if part.strip()]
    assert len(statements) == 3
    for statement in statements:
        assert await connection.fetch(statement) == []
