"""Nobody's phone stands readable in the database; it is found by its number all the same, through a change of keys."""

import json
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest
from ingest_keys import vault
from ingest_stack import connected, in_record, migrated
from ingest_story import START, answered_call, routed

from fareline_chassis.postgres.pool import Connection, Database
from recording_ingest.domain.keeping import Hold, Person, Retention
from recording_ingest.domain.recordings import Recording, Waits
from recording_ingest.domain.search import CallFilter
from recording_ingest.inbound.kafka import decode
from recording_ingest.outbound.phone_vault import PhoneVault, Unreadable
from recording_ingest.outbound.postgres_calls import PostgresCalls
from recording_ingest.outbound.postgres_erasures import PostgresErasures
from recording_ingest.outbound.postgres_keeping import PostgresKeeping
from recording_ingest.outbound.postgres_ledger import PostgresLedger
from recording_ingest.outbound.postgres_projection import PostgresCallLog
from recording_ingest.outbound.resealing import Resealed, Resealing
from recording_ingest.outbound.sealed_addresses import OpenedAddresses
from recording_ingest.outbound.storage import ObjectStorage
from recording_ingest.ports.downloads import Fetched
from recording_ingest.usecases.forget import Forgetting, carry_on, erase_person
from recording_ingest.usecases.project_calls import project_calls

CALLER, CALLEE = "+79037654321", "+79268887766"
URL = f"https://pbx.example/{CALLER[1:]}-{CALLEE[1:]}.wav"


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    await migrated(database_url)
    async with connected(database_url) as database:
        yield database


async def tell(database: Database, phones: PhoneVault) -> None:
    story = answered_call("c-1", url=URL)
    told = [routed(call_id="c-1", caller=CALLER, actions=[{**_dial(), "context": CALLEE}]), *story[1:]]
    told.append(routed(30, call_id="c-2", caller=CALLER, actions=[_fallback()]))
    batch = [kept for kept in map(decode, map(in_record, told)) if kept]
    await project_calls(PostgresCallLog(database, phones), batch, lambda _: Waits())


def _dial() -> dict[str, object]:
    return {
        "do": "dial", "targets": [CALLEE], "caller_id": "+74950000101", "ring_timeout_s": 30, "max_duration_s": 60,
        "record": "dual", "announce": {"caller": None, "callee": None},
    }  # fmt: skip


def _fallback() -> dict[str, object]:
    return {"do": "fallback", "target": "operator", "display": f"o-1001 client {CALLEE}"}


async def dump(connection: Connection) -> str:
    """Every table of the schema as text, each value also with bytes decoded."""
    tables = await connection.fetch(
        "SELECT oid::regclass::text AS name FROM pg_class WHERE relnamespace = 'recording_ingest'::regnamespace"
        " AND relkind IN ('r', 'p')"
    )
    assert {"calls", "call_events", "recordings"} <= {table["name"] for table in tables}
    lines = []
    for table in tables:
        for row in await connection.fetch(f"SELECT t::text AS line, to_jsonb(t)::text AS more FROM {table['name']} t"):
            lines += [row["line"], row["more"]]
            lines += [bytes.fromhex(part).decode("latin-1") for part in hexes(row["more"])]
    return "\n".join(lines)


def hexes(document: str) -> list[str]:
    return [value[2:] for value in json.loads(document).values() if isinstance(value, str) and value.startswith("\\x")]


async def test_a_dump_shows_no_number(database: Database, tmp_path: Path) -> None:
    await tell(database, vault(tmp_path))
    async with database.acquire() as connection:
        text = await dump(connection)
        assert "c-1" in text
        assert "+7***4321" in text
        for phone in (CALLER, CALLEE):
            sevens = [phone[start : start + 7] for start in range(1, len(phone) - 6)]
            assert [digits for digits in sevens if digits in text] == []
        await connection.execute("UPDATE calls SET line = $1", CALLER)
        assert CALLER in await dump(connection)


async def found(database: Database, phones: PhoneVault, **who: str) -> list[tuple[str, str | None]]:
    wanted = CallFilter(("demo",), START - timedelta(hours=1), START + timedelta(hours=1), **who)  # type: ignore[arg-type]
    lines = await PostgresCalls(database, phones).page(wanted, in_full=True)
    return [(line["call_id"], line["caller"]) for line in lines]


async def test_calls_are_found_by_number_before_during_and_after_a_change_of_keys(
    database: Database, tmp_path: Path
) -> None:
    old, both, new = vault(tmp_path), vault(tmp_path, (2, 1), (2, 1)), vault(tmp_path, (2,), (2,))
    await tell(database, old)
    expected = [("c-2", CALLER), ("c-1", CALLER)]
    for phones in (old, both):
        assert await found(database, phones, caller=CALLER) == expected
        assert await found(database, phones, party=CALLEE) == expected[1:]
        assert await found(database, phones, caller=CALLEE) == []
    assert await found(database, new, caller=CALLER) == []
    with pytest.raises(Unreadable):
        await found(database, new)

    async with database.acquire() as connection:
        assert await Resealing(connection, both).run() == Resealed(events=5, calls=2, recordings=1)
        assert await Resealing(connection, both).run() == Resealed(0, 0, 0)
    assert await found(database, new, caller=CALLER) == expected
    assert await found(database, new, party=CALLEE) == expected[1:]
    page = await PostgresCalls(database, new).call("c-1")
    assert page is not None
    assert (page.row.caller, page.row.target) == (CALLER, CALLEE)
    assert len(await PostgresCalls(database, new).story("c-1")) == 5
    assert await address(database, new, tmp_path) == URL


async def test_who_is_to_be_forgotten_once_a_hold_is_lifted_is_so_after_a_change_of_keys(
    database: Database, tmp_path: Path
) -> None:
    old, both, new = vault(tmp_path), vault(tmp_path, (2, 1), (2, 1)), vault(tmp_path, (2,), (2,))
    now = START + timedelta(hours=1)

    def tools(phones: PhoneVault) -> Forgetting:
        erasures, store = PostgresErasures(database, phones), ObjectStorage(str(tmp_path))
        return Forgetting(PostgresKeeping(database, Retention()), erasures, store, lambda: now, timedelta(days=30))

    await tell(database, old)
    await tools(old).keeping.place_hold(Hold("c-1", "demo", "case 17", "root", now))  # type: ignore[attr-defined]
    asked = await erase_person(tools(old), Person("demo", (CALLER, CALLEE), None, None), actor="root")
    assert (asked.calls, asked.held) == (1, 1)
    assert await found(database, old) == [("c-2", None), ("c-1", CALLER)]
    async with database.acquire() as connection:
        for _ in range(2):
            await Resealing(connection, both).run()
        hashes = await connection.fetchval("SELECT phone_hashes FROM erasures")
    assert sorted(hashes) == sorted(
        [*old.hashes(CALLER), *new.hashes(CALLER), *old.hashes(CALLEE), *new.hashes(CALLEE)]
    )
    await tools(new).keeping.lift_hold("c-1", actor="root", now=now)  # type: ignore[attr-defined]
    await carry_on(tools(new))
    assert await found(database, new) == [("c-2", None), ("c-1", None)]


async def address(database: Database, phones: PhoneVault, folder: Path) -> str | None:
    asked: list[str | None] = []

    class Source:
        async def fetch(self, entry: Recording, into: Path) -> Fetched:
            asked.append(entry.url)
            return Fetched("", 0)

    (job,) = await PostgresLedger(database).lease(1, lease_for=timedelta(minutes=1))
    await OpenedAddresses(Source(), phones).fetch(job.entry, folder / "a.wav")
    return asked[0]
