"""Forgetting and retention on a call log of some size: nothing reads a large table from its beginning to its end."""

from collections.abc import AsyncIterator, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from ingest_keys import vault
from ingest_stack import connected, migrated
from ingest_story import START

from fareline_chassis.postgres.pool import Database
from fareline_chassis.postgres.sql import load_queries
from recording_ingest.domain.search import CallFilter
from recording_ingest.outbound.call_questions import page_statement

CALLS = 30_000
NOW = START + timedelta(days=100)
LARGE = ("calls", "call_heads", "call_events", "recordings")
FILL = """
SELECT make_month('2026-11-01'), make_month('2026-12-01');
INSERT INTO tenant_retention VALUES ('demo', 1, 400, 400), ('brief', 1, 5, 30), ('long', 1, 4000, 4000);
INSERT INTO call_heads SELECT 'c-' || n, '{start}'::timestamptz + n * interval '1 minute' FROM generate_series(1, {n}) AS n;
INSERT INTO calls (call_id, account, pbx_call_id, tenant, row_state, number, order_id, started_at, dials, steps,
    recording_due, updated_at, driver_id, client_id, caller_hash, target_hash)
SELECT call_id, 'a', 'p', CASE WHEN n % 1000 = 0 THEN 'brief' ELSE 'demo' END, 'complete', '+7495', 'o-' || n, started_at,
    0, 0, false, '{start}', 'd-' || n % 3000, 'k-' || n, sha256(('d' || n % 3000)::bytea), sha256(('k' || n)::bytea)
FROM call_heads CROSS JOIN LATERAL (SELECT substr(call_id, 3)::integer AS n) AS numbered;
INSERT INTO call_events (account, ce_id, call_id, kind, at, received_at, data, sealed)
SELECT 'a', call_id, call_id, 'call.routed', started_at, started_at, '{{}}', '' FROM call_heads;
INSERT INTO recordings (recording_id, call_id, account, pbx_call_id, tenant, state, part, attempts, detail, object_key,
    sha256, size_bytes, stored_at)
SELECT gen_random_uuid(), call_id, 'a', 'p', tenant, 'stored', 1, 1, '', call_id, '', 1, started_at FROM calls;
INSERT INTO erased_calls SELECT 'c-' || n, gen_random_uuid(), '{start}' FROM generate_series(1, 50) AS n;
"""
IDS = [f"c-{n}" for n in range(100, 120)]
HASH = [b"\x00" * 18]


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    await migrated(database_url)
    async with connected(database_url) as database:
        async with database.acquire() as connection:
            await connection.execute(FILL.format(n=CALLS, start=START.isoformat()))
            await connection.execute("VACUUM ANALYZE")
        yield database


def nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for below in plan.get("Plans", ()):
        yield from nodes(below)


async def explained(database: Database, options: str, statement: str, *values: object) -> dict[str, Any]:
    async with database.acquire() as connection:
        (row,) = await connection.fetch(f"EXPLAIN ({options} FORMAT JSON) {statement}", *values)
    plan: dict[str, Any] = row[0][0]["Plan"]
    return plan


async def read_whole(database: Database, statement: str, *values: object) -> set[str]:
    """Return the large tables that a statement would read from end to end."""
    plan = await explained(database, "", statement, *values)
    read = {str(node["Relation Name"]) for node in nodes(plan) if node["Node Type"] == "Seq Scan"}
    return {name for name in read if name.startswith(LARGE) and name != "calls_other"}


STATEMENTS: list[tuple[str, str, list[Any]]] = [
    ("erasures", "calls_of_person", ["demo", NOW, HASH, "d-7", None]),
    ("erasures", "calls_of_person", ["demo", NOW, [], None, "k-7"]),
    ("erasures", "late_calls", [START - timedelta(days=1), 200]),
    ("erasures", "lock_calls", [IDS]),
    ("erasures", "erase_events", [IDS]),
    ("erasures", "erase_calls", [IDS]),
    ("erasures", "erase_recordings", [IDS]),
    ("erasures", "recently_erased", [NOW]),
    ("keeping", "let_recordings_go", [NOW, 180, 20]),
    ("keeping", "old_calls", [NOW, 730, 20]),
    ("keeping", "let_audio_go", [IDS]),
    ("keeping", "lock_without_audio", [IDS]),
    ("keeping", "drop_recordings", [IDS]),
    ("keeping", "drop_events", [IDS]),
    ("keeping", "drop_calls", [IDS]),
    ("keeping", "drop_heads", [IDS]),
    ("keeping", "to_purge", [200]),
    ("keeping", "orphans", [[f"audio/demo/00/{n}" for n in range(20)]]),
    ("intake", "known", ["c-7"]),
    ("intake", "tenant_of_call", ["c-7"]),
    ("ledger", "lease", [1, "00000000-0000-4000-8000-000000000000", timedelta(seconds=30)]),
    ("ledger", "untold", [200]),
    ("ledger", "backlog", []),
    ("projection", "stories", [IDS, ["x"]]),
    ("projection", "ledger", [IDS]),
    ("calls", "call", ["c-7"]),
    ("calls", "story", ["c-7"]),
    ("calls", "recordings", ["c-7"]),
]


async def test_no_large_table_is_read_whole(database: Database) -> None:
    wrong = []
    for file, name, values in STATEMENTS:
        statement = getattr(load_queries("recording_ingest.outbound", file), name)
        wrong += [(file, name, table) for table in await read_whole(database, statement, *values)]
    assert wrong == []


async def test_who_dials_again_is_found_by_an_index(database: Database) -> None:
    async with database.acquire() as connection:
        await connection.execute("UPDATE calls SET disposition = 'answered', last_deed = 'dial', ended_at = started_at")
        await connection.execute("ANALYZE calls")
    plan = await explained(database, "", "SELECT * FROM analytics.daily_called_again")
    inner = [node for node in nodes(plan) if str(node.get("Alias", "")).startswith("later")]
    assert inner
    assert {node["Node Type"] for node in inner} <= {
        "Index Scan",
        "Bitmap Heap Scan",
        "Index Only Scan",
        "Bitmap Index Scan",
    }


async def test_people_and_what_is_due_are_found_at_once(database: Database, tmp_path: Path) -> None:
    calls, keeping = (load_queries("recording_ingest.outbound", name) for name in ("calls", "keeping"))
    found: dict[str, int] = {}
    for asked in ({"driver_id": "d-7"}, {"client_id": "k-7"}):
        wanted = CallFilter(("demo",), START, START + timedelta(days=31), limit=50, **asked)  # type: ignore[arg-type]
        statement, values = page_statement(calls, vault(tmp_path), wanted, in_full=False)
        found[str(asked)] = await blocks(database, statement, *values)
    # What is due is one call in a thousand, younger than most of what its neighbours keep.
    found["old_calls"] = await blocks(database, keeping.old_calls, NOW, 730, 5)
    found["let_recordings_go"] = await blocks(database, keeping.let_recordings_go, NOW, 180, 5)
    assert {what: touched for what, touched in found.items() if touched > 120} == {}


async def blocks(database: Database, statement: str, *values: object) -> int:
    """Return how many blocks a statement touches that finds something."""
    plan = await explained(database, "ANALYZE, BUFFERS,", statement, *values)
    assert plan["Actual Rows"] > 0
    return int(plan["Shared Hit Blocks"]) + int(plan["Shared Read Blocks"])
