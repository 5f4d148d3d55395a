"""A page costs the same at any depth: counted in blocks that the database touches, not in time."""

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from ingest_keys import vault
from ingest_stack import connected, migrated
from ingest_story import START

from fareline_chassis.postgres.pool import Database
from fareline_chassis.postgres.sql import load_queries
from recording_ingest.domain.search import CallFilter, Cursor
from recording_ingest.outbound.call_questions import page_statement

CALLS = 40_000
UNTIL = START + timedelta(seconds=CALLS)


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    await migrated(database_url)
    async with connected(database_url) as database:
        async with database.acquire() as connection:
            await connection.execute(
                "INSERT INTO calls (call_id, account, pbx_call_id, tenant, row_state, number, order_id, started_at, dials,"
                " steps, recording_due, updated_at) SELECT 'c-' || n, 'a', 'p', 'demo', 'partial', '+7495', 'o-' || n / 3,"
                " $1::timestamptz + n * interval '1 s', 0, 0, false, now() FROM generate_series(0, $2::integer - 1) AS n",
                START,
                CALLS,
            )
            await connection.execute("VACUUM ANALYZE calls")
        yield database


async def blocks(database: Database, folder: Path, wanted: CallFilter) -> int:
    statement, arguments = page_statement(
        load_queries("recording_ingest.outbound", "calls"), vault(folder), wanted, in_full=False
    )
    async with database.acquire() as connection:
        (row,) = await connection.fetch(f"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) {statement}", *arguments)
    plan: dict[str, Any] = row[0][0]["Plan"]
    assert plan["Actual Rows"] == wanted.limit + 1
    return int(plan["Shared Hit Blocks"]) + int(plan["Shared Read Blocks"])


@pytest.mark.parametrize("asked", [{}, {"number": "+7495"}, {"disposition": None, "tenants": ("demo", "solo")}])
async def test_the_last_page_is_as_cheap_as_the_first(
    database: Database, tmp_path: Path, asked: dict[str, Any]
) -> None:
    first = CallFilter(**{"tenants": ("demo",), "since": START, "until": UNTIL, "limit": 50, **asked})
    deep = CallFilter(**{**_given(first), "cursor": Cursor(START + timedelta(seconds=60), "c-60", START, UNTIL)})
    assert await blocks(database, tmp_path, deep) <= 2 * await blocks(database, tmp_path, first)


def _given(wanted: CallFilter) -> dict[str, Any]:
    return {name: getattr(wanted, name) for name in wanted.__dataclass_fields__}
