"""An analyst who means ill: words of others' pages, bodies without end, phones where none belong. Nothing of others is told."""

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from ingest_api import Reader, application, project, token_book
from ingest_keys import vault
from ingest_stack import connected, migrated
from ingest_story import ended, routed

from fareline_chassis.clock import utc_now
from fareline_chassis.postgres.pool import Database
from recording_ingest.domain.keeping import Retention
from recording_ingest.inbound.access import Gate
from recording_ingest.inbound.http import QUESTION_BYTES
from recording_ingest.inbound.keeping_api import KeepingApi
from recording_ingest.outbound.postgres_calls import PostgresCalls
from recording_ingest.outbound.postgres_erasures import PostgresErasures
from recording_ingest.outbound.postgres_keeping import PostgresKeeping
from recording_ingest.outbound.storage import ObjectStorage
from recording_ingest.usecases.forget import Forgetting

ASKED = "since=2026-11-24T00:00:00Z&until=2026-11-25T00:00:00Z"
DAY = {"since": "2026-11-24T00:00:00Z", "until": "2026-11-25T00:00:00Z"}
DRIVER = "+79031112233"


@pytest.fixture
async def database(database_url: str, tmp_path: Path) -> AsyncIterator[Database]:
    await migrated(database_url)
    async with connected(database_url) as database:
        told: list[Any] = []
        for n in range(6):
            tenant = "solo" if n % 2 else "demo"
            told += [routed(n, call_id=f"c-{n}", tenant=tenant), ended(60 + n, call_id=f"c-{n}", tenant=tenant)]
        await project(database, vault(tmp_path), told)
        yield database


@pytest.fixture
async def client(database: Database, tmp_path: Path) -> AsyncIterator[Reader]:
    keeping, phones, gate = PostgresKeeping(database, Retention()), vault(tmp_path), Gate(token_book())
    erasures = PostgresErasures(database, phones)
    tools = Forgetting(keeping, erasures, ObjectStorage(str(tmp_path)), utc_now, timedelta(days=30))
    others = (KeepingApi(tools, keeping, PostgresCalls(database, phones), gate).router(),)
    transport = httpx.ASGITransport(app=application(database, tmp_path, others))
    async with Reader(transport=transport, base_url="http://ingest") as client:
        yield client


async def ids(client: Reader, path: str, who: str, **more: Any) -> list[str]:
    answer = await client.ask(path, who, **more)
    assert answer.status_code == 200, answer.text
    return [call["call_id"] for call in answer.json()["calls"]]


async def test_a_cursor_of_somebody_who_sees_more_shows_no_more(client: Reader) -> None:
    word = (await client.ask(f"/v1/calls?{ASKED}&limit=1", "root")).json()["next"]
    assert await ids(client, f"/v1/calls?{ASKED}&limit=9&cursor={word}", "analyst") == ["c-4", "c-2", "c-0"]
    assert await ids(client, f"/v1/calls?{ASKED}&limit=9&cursor={word}", "stranger") == ["c-3", "c-1"]
    assert (await client.ask(f"/v1/calls?{ASKED}&tenant=solo&cursor={word}", "root")).status_code == 400
    by_phone = (await client.ask("/v1/calls/search", "root", json={**DAY, "caller": DRIVER, "limit": 1})).json()["next"]
    for asked in ({}, {"party": DRIVER}, {"caller": "+79990000000"}, {"caller": DRIVER, "tenant": "demo"}):
        answer = await client.ask("/v1/calls/search", "root", json={**DAY, **asked, "cursor": by_phone})
        assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (400, "#/cursor")
    assert (await client.ask(f"/v1/calls?{ASKED}&cursor={by_phone}", "root")).status_code == 400


async def test_a_cursor_of_the_access_log_is_one_of_those_who_may_see_it(client: Reader) -> None:
    for _ in range(3):
        await client.ask("/v1/calls/search", "stranger", json={**DAY, "caller": DRIVER})
    page = (await client.ask(f"/v1/access-log?{ASKED}&limit=1", "other auditor")).json()
    rest = (await client.ask(f"/v1/access-log?{ASKED}&cursor={page['next']}", "other auditor")).json()
    assert (len(page["accesses"]), len(rest["accesses"])) == (1, 2)
    for who in ("auditor", "other auditor"):
        word = page["next"] if who == "auditor" else page["next"] + 1
        for answer, pointer in (
            (await client.ask(f"/v1/access-log?{ASKED}&cursor={word}", who), "query/cursor"),
            (await client.ask("/v1/access-log/search", who, json={**DAY, "cursor": word}), "#/cursor"),
        ):
            assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (400, pointer)


@pytest.mark.parametrize("kind", ["application/json", "application/json; charset=utf-8"])
@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/v1/calls/search"),
        ("POST", "/v1/access-log/search"),
        ("POST", "/v1/erasures"),
        ("PUT", "/v1/calls/c-0/legal-hold"),
        ("GET", "/v1/calls"),
    ],
)
async def test_nobody_sends_without_end(client: Reader, method: str, path: str, kind: str) -> None:
    async def endless() -> AsyncIterator[bytes]:
        nonlocal sent
        while sent < 100 * QUESTION_BYTES:
            sent += 1024
            yield b" " * 1024

    sent = 0
    headers = {"Authorization": "Bearer root", "Content-Type": kind}
    announced = await client.request(method, path, content=b" " * (QUESTION_BYTES + 1), headers=headers)
    assert announced.status_code == 413
    assert announced.headers["content-type"] == "application/problem+json"
    streamed = await client.request(method, path, content=endless(), headers=headers)
    assert streamed.status_code == (200 if method == "GET" else 413)
    assert sent <= QUESTION_BYTES + 1024, "it is heard no longer than it takes to know"


async def test_a_phone_in_the_reason_of_a_hold_is_masked(client: Reader, database: Database) -> None:
    headers = {"Authorization": "Bearer root"}
    answer = await client.put("/v1/calls/c-0/legal-hold", json={"reason": f"case 17, {DRIVER}"}, headers=headers)
    assert answer.json()["reason"] == "case 17, +7***2233"
    async with database.acquire() as connection:
        rows = await connection.fetch("SELECT legal_holds::text || legal_hold_log::text AS all FROM legal_holds JOIN legal_hold_log USING (call_id)")  # fmt: skip
    assert len(rows) == 1
    assert DRIVER[1:] not in rows[0]["all"]
