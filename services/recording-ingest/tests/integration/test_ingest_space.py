"""Accounts whose PBX keeps a number of bytes, in the ledger: estimates, the order of downloads, what is at risk."""

from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from typing import Any

import pytest
from ingest_stack import connected, migrated

from fareline_chassis.clock import utc_now
from fareline_chassis.postgres.pool import Database
from recording_ingest.outbound.postgres_ledger import PostgresLedger
from recording_ingest.outbound.postgres_space import PostgresSpaces
from recording_ingest.usecases.estimate_spaces import estimate_spaces

INSERT = """
INSERT INTO recordings (recording_id, call_id, account, pbx_call_id, state, part, attempts, detail, next_attempt_at,
    made_at, expires_at, size_bytes, object_key, sha256, reason)
SELECT gen_random_uuid(), $1, $2, $1, $3, 1, 0, '', now(), $4, $5, $6::bigint, $6::text, $6::text,
    CASE WHEN $3 IN ('missing', 'deleted') THEN $7 END
"""


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    await migrated(database_url)
    async with connected(database_url) as database:
        yield database


async def there(
    database: Database, name: str, state: str, hours_ago: float, *, account: str = "small", size: int | None = None,
    expires_in: timedelta | None = None, reason: str = "source_failed",
) -> None:  # fmt: skip
    now = utc_now()
    expires_at = now + expires_in if expires_in else None
    values = (name, account, state, now - timedelta(hours=hours_ago), expires_at, size, reason)
    async with database.acquire() as connection:
        await connection.execute(INSERT, *values)


async def estimated(database: Database, bounds: dict[str, int], now: datetime | None = None) -> dict[str, Any]:
    """Renew the estimates; return by call in how many hours each is pushed out, rounded."""
    at = now or utc_now()
    await estimate_spaces(PostgresSpaces(database), bounds, lambda: at)
    async with database.acquire() as connection:
        rows = await connection.fetch(
            "SELECT call_id, pushed_out_at FROM recordings WHERE state IN ('expected', 'ready')"
        )
    hours = {row["call_id"]: row["pushed_out_at"] and (row["pushed_out_at"] - at) / timedelta(hours=1) for row in rows}
    return {name: None if value is None else round(value) for name, value in hours.items()}


async def a_day(database: Database) -> None:
    """Within a day 240 bytes came: 100 and 100 that are known, and one that waits, of about 100; and older ones."""
    await there(database, "stored-early", "stored", 20, size=100)
    await there(database, "waits", "ready", 10)
    await there(database, "stored-late", "stored", 5, size=100)
    await there(database, "not-there", "missing", 3, reason="not_found")
    await there(database, "long-ago", "stored", 100, size=100)


async def test_newer_recordings_push_out_whatever_became_of_them(database: Database) -> None:
    await a_day(database)
    # 300 bytes a day; `waits` and what is newer take 200 of 800: the other 600 last two days.
    assert await estimated(database, {"small": 800}) == {"waits": 48}
    await there(database, "refused", "missing", 2)
    await there(database, "forgotten", "deleted", 1, size=100, reason="erasure")
    # 500 a day, 400 taken: 400 last 0.8 days.
    assert await estimated(database, {"small": 800}) == {"waits": 19}
    assert await estimated(database, {"small": 300}) == {"waits": 0}


async def test_what_is_pushed_out_first_is_fetched_first_beside_what_expires(database: Database) -> None:
    await a_day(database)
    await there(database, "waits-younger", "ready", 1)
    await there(database, "days", "ready", 1, account="days", expires_in=timedelta(hours=20))
    await there(database, "more-days", "ready", 1, account="days", expires_in=timedelta(days=9))
    await there(database, "unbounded", "ready", 200, account="other")
    hours = await estimated(database, {"small": 700})
    assert hours == {"waits": 24, "waits-younger": 36, "days": None, "more-days": None, "unbounded": None}
    queue = PostgresLedger(database)
    taken = [job.entry.call_id for _ in range(5) for job in await queue.lease(1, lease_for=timedelta(minutes=1))]
    assert taken == ["days", "waits", "waits-younger", "more-days", "unbounded"]


async def test_at_risk_is_a_day_or_half_of_what_the_pbx_keeps(database: Database) -> None:
    await a_day(database)
    queue = PostgresLedger(database)
    await estimated(database, {"small": 800})
    assert (await queue.backlog())["at_risk"] == 0
    await estimated(database, {"small": 320})
    assert (await queue.backlog())["at_risk"] == 1
    # A PBX that keeps a day: what was just made is no more at risk than usual.
    await there(database, "fresh", "ready", 0.1, account="brief", expires_in=timedelta(hours=23))
    assert (await queue.backlog())["at_risk"] == 1
    await there(database, "stale", "ready", 13, account="brief", expires_in=timedelta(hours=11))
    assert (await queue.backlog())["at_risk"] == 2


async def test_while_nothing_was_stored_everything_that_waits_is_at_risk(database: Database) -> None:
    await there(database, "first", "ready", 1)
    assert await estimated(database, {"small": 10**12}) == {"first": 0}
    assert (await PostgresLedger(database).backlog())["at_risk"] == 1


async def test_an_account_whose_bound_is_taken_away_has_no_estimates(database: Database) -> None:
    await a_day(database)
    assert await estimated(database, {"small": 800}) == {"waits": 48}
    assert await estimated(database, {"other": 800}) == {"waits": None}
