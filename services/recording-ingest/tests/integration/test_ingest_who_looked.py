"""Who looked for a person, and who took the call log away: written before the answer, told to those whom it concerns."""

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from ingest_api import Reader, project, reader
from ingest_keys import vault
from ingest_stack import connected, migrated
from ingest_story import START, at, ended, routed

from fareline_chassis.postgres.pool import Database
from recording_ingest.outbound.access_chain import walk_access_log
from recording_ingest.outbound.postgres_reading import PostgresReader
from recording_ingest.ports.access_log import Access, AccessFilter, Asker

DRIVER, CLIENT = "+79031112233", "+79261234567"
DAY: dict[str, Any] = {"since": "2026-11-24T00:00:00Z", "until": "2026-11-25T00:00:00Z"}
ASKED = "since=2026-11-24T00:00:00Z&until=2026-11-25T00:00:00Z"
SEARCH, LOG = "/v1/calls/search", "/v1/access-log"
SOMEBODY = Asker("somebody", "bearer token", "r-1", "10.0.0.1", "case 17")


@pytest.fixture
async def database(database_url: str, tmp_path: Path) -> AsyncIterator[Database]:
    await migrated(database_url)
    async with connected(database_url) as database:
        told = [one for n in range(3) for one in (routed(n, call_id=f"c-{n}"), ended(60 + n, call_id=f"c-{n}", started_at=at(n)))]  # fmt: skip
        await project(database, vault(tmp_path), told)
        yield database


@pytest.fixture
async def client(database: Database, tmp_path: Path) -> AsyncIterator[Reader]:
    async with reader(database, tmp_path) as client:
        yield client


async def look(client: Reader, who: str = "analyst", status: int = 200, **asked: Any) -> Any:
    answer = await client.ask(SEARCH, who, json={**DAY, **asked})
    assert answer.status_code == status, answer.text
    return answer


async def log(client: Reader, who: str = "root", query: str = "", **asked: Any) -> list[dict[str, Any]]:
    """Return what `who` is shown of the access log, oldest first."""
    more = {"json": DAY | asked} if asked else {}
    answer = await client.ask(f"{LOG}/search" if asked else f"{LOG}?{ASKED}{query}", who, **more)
    assert answer.status_code == 200, answer.text
    assert answer.json()["intact"] is True
    return list(reversed(answer.json()["accesses"]))


def told(accesses: list[dict[str, Any]]) -> list[tuple[str, str, str]]:
    return [(one["actor"], one["action"], one["outcome"]) for one in accesses]


async def test_a_search_by_phone_is_written_with_everything_but_the_phone(
    client: Reader, database: Database, tmp_path: Path
) -> None:
    headers = {"Authorization": "Bearer analyst", "X-Request-Id": "r-7", "X-Access-Reason": f"case 17, {DRIVER}"}
    answer = await client.post(SEARCH, json={**DAY, "caller": DRIVER}, headers=headers)
    assert len(answer.json()["calls"]) == 3
    assert answer.headers["X-Request-Id"] == "r-7"
    (one,) = await log(client)
    del one["access_id"]
    assert one == {
        "recording_id": None, "call_id": None, "actor": "analyst", "auth_method": "bearer token", "action": "search",
        "byte_range": None, "phone_hash": vault(tmp_path).hash(DRIVER).hex(), "reason": "case 17, +7***2233", "ip": "127.0.0.1",
        "request_id": "r-7", "outcome": "granted", "bytes_sent": None, "at": "2026-11-24T23:00:00Z", "ended_at": None,
    }  # fmt: skip
    async with database.acquire() as connection:
        row = await connection.fetchval("SELECT access_log::text FROM access_log")
        found = await connection.fetchval("SELECT count(*) FROM calls JOIN access_log ON caller_hash = phone_hash")
    assert DRIVER[1:] not in row
    assert found == 3, "the hash is the one under which the person's calls stand"


@pytest.mark.parametrize("kind", ["application/json", "application/json; charset=utf-8"])
async def test_without_the_row_there_is_no_answer(client: Reader, database: Database, kind: str) -> None:
    async with database.acquire() as connection:
        await connection.execute("ALTER TABLE access_log RENAME TO access_log_gone")
    headers = {"Authorization": "Bearer analyst", "Content-Type": kind}
    with pytest.raises(asyncpg.UndefinedTableError):
        await client.post(SEARCH, content=f'{{"caller": "{DRIVER}"}}', headers=headers)
    for path in ("/v1/calls.csv", "/v1/calls.parquet"):
        with pytest.raises(asyncpg.UndefinedTableError):
            await client.ask(path)
    assert (await client.ask(f"/v1/calls?{ASKED}")).status_code == 200
    async with database.acquire() as connection:
        await connection.execute("ALTER TABLE access_log_gone RENAME TO access_log")
    assert [(await client.ask("/v1/calls.csv")).status_code for _ in range(3)] == [200] * 3, "no place is left taken"


async def test_each_phone_and_each_page_is_a_row_and_other_questions_are_none(client: Reader) -> None:
    await look(client)
    await client.ask(f"/v1/calls?{ASKED}&driver_id=d-5")
    assert await log(client) == []
    await look(client, caller=DRIVER, party=DRIVER)
    assert len(await log(client)) == 1
    page = (await look(client, caller=DRIVER, party=CLIENT, limit=2)).json()
    await look(client, caller=DRIVER, party=CLIENT, limit=2, cursor=page["next"])
    hashes = [one["phone_hash"] for one in await log(client)]
    assert len(hashes) == 5
    assert hashes[0] == hashes[1] == hashes[3]
    assert hashes[2] == hashes[4] != hashes[0]


async def test_exports_are_written_too(client: Reader) -> None:
    for path in ("/v1/calls.csv", "/v1/calls.parquet"):
        answer = await client.ask(f"{path}?{ASKED}", "chief")
        assert answer.status_code == 200
        assert len(answer.headers["X-Request-Id"]) == 36
    assert (await client.ask("/v1/calls.csv?tenant=demo", "stranger")).status_code == 403
    shown = await log(client, query="&action=export")
    assert told(shown) == [
        ("chief", "export", "granted"),
        ("chief", "export", "granted"),
        ("stranger", "export", "refused"),
    ]
    assert {one["phone_hash"] for one in shown} == {None}


async def test_who_may_not_is_written_and_who_asks_badly_or_is_nobody_is_not(client: Reader) -> None:
    await look(client, "stranger", 403, caller=DRIVER, tenant="demo")
    await look(client, "listener", 403, caller=DRIVER)
    await look(client, "nobody", 401, caller=DRIVER)
    await look(client, "analyst", 400, caller=DRIVER, cursor="AAAA")
    await look(client, "analyst", 400, caller="123")
    shown = await log(client, "auditor")
    assert told(shown) == [("stranger", "search", "refused"), ("listener", "search", "refused")]
    assert await log(client, "other auditor") == []


async def test_it_is_told_to_those_whose_calls_were_asked_for(client: Reader) -> None:
    await look(client, "analyst", caller=DRIVER)
    await look(client, "both", caller=DRIVER)
    await look(client, "stranger", caller=DRIVER)
    await look(client, "root", caller=DRIVER)
    await look(client, "root", caller=DRIVER, tenant="solo")
    assert [one["actor"] for one in await log(client)] == ["analyst", "both", "stranger", "root", "root"]
    assert [one["actor"] for one in await log(client, "auditor")] == ["analyst", "both", "root"]
    assert [one["actor"] for one in await log(client, "other auditor")] == ["both", "stranger", "root", "root"]
    assert [one["actor"] for one in await log(client, query="&tenant=demo")] == ["analyst", "both", "root"]
    assert (await client.ask(f"{LOG}/search", "auditor", json={"tenant": "solo"})).status_code == 403


async def test_what_is_called_a_tenant_but_is_a_phone_is_not_kept(client: Reader, database: Database) -> None:
    await look(client, "root", caller=CLIENT, tenant=DRIVER)
    async with database.acquire() as connection:
        assert await connection.fetchval("SELECT tenants FROM access_log") == ["+7***2233"]


async def test_who_looked_for_one_person_is_found_by_the_phone_also_after_a_change_of_keys(
    client: Reader, database: Database, tmp_path: Path
) -> None:
    await look(client, "analyst", caller=DRIVER)
    await look(client, "chief", party=DRIVER)
    await look(client, "chief", party=CLIENT)
    assert [one["actor"] for one in await log(client, phone=DRIVER)] == ["analyst", "chief"]
    assert [one["actor"] for one in await log(client, phone=DRIVER.lstrip("+"), actor="chief")] == ["chief"]
    assert await log(client, phone="+79990000000") == []
    later = PostgresReader(database, vault(tmp_path, lookup=(2, 1)))
    await later.log_access(Access(None, None, None, SOMEBODY, "search", START, tenants=("demo",), phone=DRIVER))
    noted = await later.find_accesses(AccessFilter(("demo",), START, START + timedelta(days=1), phone=DRIVER))
    assert [one.actor for one in noted] == ["chief", "analyst", "somebody"]
    assert len({one.phone_hash for one in noted}) == 2


async def test_the_search_refuses_what_is_no_question(client: Reader) -> None:
    for asked, pointer in (
        ({"phone": "123"}, "#/phone"), ({"colour": "red"}, "#/colour"), ({"cursor": 0}, "#/cursor"), ({"action": "hear"}, "#/action"),
        ({"since": "2026-10-01T00:00:00Z", "until": "2026-11-24T00:00:00Z"}, "#/since"),
    ):  # fmt: skip
        answer = await client.ask(f"{LOG}/search", "root", json=asked)
        assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (400, pointer)


@pytest.mark.parametrize(
    ("action", "change"),
    [
        ("search", "phone_hash = NULL"),
        ("search", "phone_hash = '\\x00'"),
        ("search", "tenants = NULL"),
        ("search", "tenants = '{solo}'"),
        ("search", "tenant = 'demo'"),
        ("search", "outcome = 'refused'"),
        ("search", "outcome = NULL"),
        ("search", "reason = 'case 18'"),
        ("search", "call_id = 'c-1'"),
        ("search", "recording_id = gen_random_uuid()"),
        ("search", "recording_id = gen_random_uuid(), tenants = NULL, phone_hash = NULL"),
        ("export", "tenants = '{solo}'"),
        ("export", "phone_hash = '\\x00'"),
        ("listen", "phone_hash = '\\x00'"),
        ("listen", "tenants = '{}'"),
        ("listen", "recording_id = NULL"),
    ],
)
async def test_no_column_is_changed_unseen(client: Reader, database: Database, tmp_path: Path, action: str, change: str) -> None:  # fmt: skip
    await look(client, caller=DRIVER)
    await client.ask("/v1/calls.csv")
    listening = Access("00000000-0000-4000-8000-000000000000", "c-1", "demo", SOMEBODY, "listen", START)
    await PostgresReader(database, vault(tmp_path)).log_access(listening)
    async with database.acquire() as connection:
        assert (await walk_access_log(connection)).broken is None
        await connection.execute("ALTER TABLE access_log DISABLE TRIGGER USER")
        await connection.execute(f"UPDATE access_log SET {change} WHERE action = $1", action)
        assert "it was changed" in str((await walk_access_log(connection)).broken)
    assert (await client.ask(f"{LOG}?{ASKED}", "root")).json()["intact"] is False
