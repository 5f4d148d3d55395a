"""The projection in Postgres: any order, any batches, any number of times; concurrent; bad records alone."""

import asyncio
import random
from collections.abc import AsyncIterator, Sequence
from datetime import timedelta
from functools import partial
from pathlib import Path

import pytest
from ingest_keys import vault
from ingest_stack import connected, in_record, migrated
from ingest_story import START, Told, answered_call, at, dial, ended, events, ready, routed
from prometheus_client import CollectorRegistry

from fareline_chassis.kafka.records import OutRecord
from fareline_chassis.postgres.pool import Database
from recording_ingest.domain.projection import fold
from recording_ingest.domain.recordings import State, Waits
from recording_ingest.domain.search import CallFilter
from recording_ingest.inbound.kafka import CallEventsIn, decode
from recording_ingest.outbound.phone_vault import PhoneVault
from recording_ingest.outbound.postgres_calls import PostgresCalls
from recording_ingest.outbound.postgres_ledger import PostgresLedger
from recording_ingest.outbound.postgres_projection import PostgresCallLog
from recording_ingest.usecases.project_calls import project_calls


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    await migrated(database_url)
    async with connected(database_url) as database:
        yield database


@pytest.fixture
def phones(tmp_path: Path) -> PhoneVault:
    return vault(tmp_path)


async def project(database: Database, phones: PhoneVault, told: Sequence[Told]) -> None:
    batch = [kept for kept in map(decode, map(in_record, told)) if kept]
    await project_calls(PostgresCallLog(database, phones), batch, lambda _: Waits())


async def clear(database: Database) -> None:
    async with database.acquire() as connection:
        await connection.execute("TRUNCATE calls, call_heads, call_events, recordings")


async def snapshot(database: Database) -> list[tuple[object, ...]]:
    async with database.acquire() as connection:
        calls = await connection.fetch("SELECT * FROM calls ORDER BY call_id")
        recordings = await connection.fetch("SELECT * FROM recordings ORDER BY call_id, source_id")
        kept = await connection.fetchval("SELECT count(*) FROM call_events")
    # An announcement that arrives first names its row; one that arrives later takes over the row that was due.
    unstable = {"updated_at", "recording_id", "caller_sealed", "target_sealed", "url"}
    rows = [tuple(value for name, value in row.items() if name not in unstable) for row in (*calls, *recordings)]
    return [*rows, (kept,)]


async def test_the_table_is_the_fold_whatever_the_order_and_the_batches(database: Database, phones: PhoneVault) -> None:
    told = [one for n in range(5) for one in answered_call(f"c-{n}", url="https://pbx.example/a.wav")]
    await project(database, phones, told)
    whole = await snapshot(database)
    await clear(database)
    arrivals = told * 2
    random.Random(7).shuffle(arrivals)
    while arrivals:
        await project(database, phones, arrivals[:4])
        del arrivals[:4]
    assert await snapshot(database) == whole
    found = await PostgresCalls(database, phones).call("c-3")
    assert found is not None
    assert found.row == fold(events(answered_call("c-3", url="https://pbx.example/a.wav")))


async def test_of_two_answers_to_one_question_the_earlier_counts_in_any_order(
    database: Database, phones: PhoneVault
) -> None:
    first, second = routed(0, order_id="o-1"), routed(0, order_id="o-2")
    second[2]["received_at"] = at(0.5)
    rows = []
    for arrivals in ([first, second], [second, first], [second], [first]):
        if len(arrivals) == 2:
            await clear(database)
        await project(database, phones, arrivals)
        found = await PostgresCalls(database, phones).call("c-1")
        rows.append(found and found.row.order_id)
    assert rows == ["o-1"] * 4


async def test_what_is_told_again_changes_nothing_not_even_the_time(database: Database, phones: PhoneVault) -> None:
    await project(database, phones, answered_call())
    before = await PostgresCalls(database, phones).call("c-1")
    await project(database, phones, answered_call())
    assert await PostgresCalls(database, phones).call("c-1") == before


async def test_the_row_sums_up_its_recordings_whoever_changes_them(database: Database, phones: PhoneVault) -> None:
    await project(database, phones, [*answered_call(), ready(66, source_id="rec-2")])
    reader = PostgresCalls(database, phones)

    async def becomes(state: str, source: str) -> tuple[str | None, bool]:
        before = await reader.call("c-1")
        async with database.acquire() as connection:
            await connection.execute(
                "UPDATE recordings SET state = $1, reason = 'not_found', object_key = 'k', sha256 = 's', size_bytes = 1"
                " WHERE source_id = $2",
                state,
                source,
            )
        after = await reader.call("c-1")
        assert before
        assert after
        return after.recording, after.updated_at > before.updated_at

    assert await becomes("stored", "rec-1") == ("ready", False)
    assert await becomes("stored", "rec-2") == ("stored", True)
    assert await becomes("missing", "rec-1") == ("missing", True)
    async with database.acquire() as connection:
        await connection.execute("DELETE FROM recordings")
    gone = await reader.call("c-1")
    assert gone
    assert gone.recording is None


async def test_a_large_batch_goes_in_lanes_and_gives_the_same_table(database: Database, phones: PhoneVault) -> None:
    told = [one for n in range(40) for one in answered_call(f"c-{n}")]
    await project(database, phones, told)
    at_once = await snapshot(database)
    await clear(database)
    for one in range(0, len(told), 5):
        await project(database, phones, told[one : one + 5])
    assert await snapshot(database) == at_once
    assert len(at_once) == 40 + 40 + 1


async def test_in_a_large_batch_too_only_the_bad_record_is_dead(database: Database, phones: PhoneVault) -> None:
    sent: list[OutRecord] = []

    class Producer:
        async def send(self, records: Sequence[OutRecord]) -> list[object]:
            sent.extend(records)
            return []

    told = [routed(call_id=f"c-{n}") for n in range(80)]
    told[33] = routed(call_id="poison", actions=[{**dial(), "caller_id": "\x00"}])
    projected = partial(project_calls, PostgresCallLog(database, phones), waits_of=lambda _: Waits())
    handler = CallEventsIn(projected, Producer(), CollectorRegistry())  # type: ignore[arg-type]
    await handler([in_record(one, offset) for offset, one in enumerate(told)])
    assert [record.key for record in sent] == [b"poison"]
    async with database.acquire() as connection:
        assert await connection.fetchval("SELECT count(*) FROM calls") == 79


async def test_months_are_made_ahead_and_take_what_comes(database: Database, phones: PhoneVault) -> None:
    ledger = PostgresLedger(database)
    for _ in range(2):
        await ledger.make_months(START)
    await project(database, phones, [routed(0), routed(86400 * 40, call_id="c-2"), routed(86400 * 400, call_id="c-3")])
    async with database.acquire() as connection:
        rows = await connection.fetch("SELECT call_id, tableoid::regclass::text AS place FROM calls ORDER BY call_id")
        parts = await connection.fetch(
            "SELECT inhrelid::regclass::text AS name FROM pg_inherits WHERE inhparent = 'calls'::regclass"
        )
    assert [tuple(row) for row in rows] == [("c-1", "calls_2026_11"), ("c-2", "calls_2027_01"), ("c-3", "calls_other")]
    made = {part["name"] for part in parts}
    assert made == {"calls_2026_10", "calls_2026_11", "calls_2026_12", "calls_2027_01", "calls_other"}


async def test_a_start_learned_later_moves_the_row_and_leaves_none_behind(
    database: Database, phones: PhoneVault
) -> None:
    await project(database, phones, [ended(60, started_at=None), ready()])
    await project(database, phones, [routed(-86400 * 40)])
    wanted = CallFilter(None, START - timedelta(days=60), START + timedelta(days=1))
    page = await PostgresCalls(database, phones).page(wanted, in_full=False)
    assert [(line["started_at"], line["recording"]) for line in page] == [(START - timedelta(days=40), "ready")]


async def test_two_processes_on_one_call_lose_nothing(database: Database, phones: PhoneVault) -> None:
    told = answered_call()
    await asyncio.gather(*(project(database, phones, [one]) for one in told + told))
    found = await PostgresCalls(database, phones).call("c-1")
    assert found is not None
    assert found.row == fold(events(told))
    (entry,) = await PostgresCalls(database, phones).recordings("c-1")
    assert entry.state is State.READY


async def test_a_record_that_postgres_refuses_is_dead_and_its_neighbours_are_not(
    database: Database, phones: PhoneVault
) -> None:
    sent: list[OutRecord] = []

    class Producer:
        async def send(self, records: Sequence[OutRecord]) -> list[object]:
            sent.extend(records)
            return []

    poison = routed(call_id="c-2", actions=[{**dial(), "caller_id": "\x00"}])
    records = [
        in_record(told, offset)
        for offset, told in enumerate([routed(call_id="c-1"), poison, routed(call_id="c-3"), ended(call_id="c-1")])
    ]
    projected = partial(project_calls, PostgresCallLog(database, phones), waits_of=lambda _: Waits())
    await CallEventsIn(projected, Producer(), CollectorRegistry())(records)  # type: ignore[arg-type]
    (dead,) = sent
    headers = dict(dead.headers)
    assert (dead.value, dead.key, headers["dlq-reason"]) == (records[1].value, b"c-2", b"record")
    assert headers["dlq-sqlstate"].startswith(b"22")
    reader = PostgresCalls(database, phones)
    assert [await reader.call(name) is not None for name in ("c-1", "c-2", "c-3")] == [True, False, True]


async def test_filters_and_pages(database: Database, phones: PhoneVault) -> None:
    for n in range(7):
        await project(
            database,
            phones,
            [routed(n, call_id=f"c-{n}", order_id=f"o-{n % 2}"), ended(60 + n, call_id=f"c-{n}", started_at=at(n))],
        )
    await project(database, phones, [ready(call_id="c-1")])
    reader = PostgresCalls(database, phones)

    async def found(**more: object) -> list[str]:
        wanted = CallFilter(("demo",), START, START + timedelta(hours=1), **more)  # type: ignore[arg-type]
        return [line["call_id"] for line in await reader.page(wanted, in_full=False)]

    assert await found() == [f"c-{n}" for n in range(6, -1, -1)]
    assert await found(order_id="o-1") == ["c-5", "c-3", "c-1"]
    assert await found(recording="ready") == ["c-1"]
    assert await found(recording="expected") == ["c-6", "c-5", "c-4", "c-3", "c-2", "c-0"]
    assert await found(min_talk_s=1) == []
    assert await found(disposition="busy") == []
    assert len(await found(limit=2)) == 3


async def test_leases_are_exclusive_renewable_and_lost(database: Database, phones: PhoneVault) -> None:
    ledger, minute = PostgresLedger(database), timedelta(minutes=1)
    await project(database, phones, [ready(call_id=f"c-{n}") for n in range(3)])
    first, second = await asyncio.gather(ledger.lease(2, lease_for=minute), ledger.lease(2, lease_for=minute))
    assert len({job.entry.recording_id for job in (*first, *second)}) == 3
    job = first[0] if first else second[0]
    assert job.entry.attempts == 1
    assert await ledger.renew(job, lease_for=timedelta(0))
    (taken,) = await ledger.lease(1, lease_for=minute)
    assert taken.entry.recording_id == job.entry.recording_id
    assert not await ledger.renew(job, lease_for=minute)
    assert not await ledger.finish(job, job.entry)
    assert await ledger.finish(taken, taken.entry)
