"""Who listened: how they were known, why, from where, by which request, and what came of it."""

import asyncio
from collections.abc import AsyncIterator, Callable
from datetime import timedelta
from importlib.resources import files
from pathlib import Path
from typing import Any

import asyncpg
import httpx
import pytest
from ingest_push import recordings_over
from ingest_source import audio
from ingest_stack import SCHEMA, connected, eventually, migrated
from starlette.requests import ClientDisconnect

from fareline_chassis.clock import utc_now
from fareline_chassis.postgres.pool import Database
from recording_ingest.outbound.access_chain import walk_access_log

WAV, BODY = {"Content-Type": "audio/wav"}, audio(1.0)
PLACE = "/v1/recordings/solo-asterisk/1700000000.42"
OLD_ROW = (
    "INSERT INTO access_log (recording_id, call_id, tenant, actor, action, byte_range, at)"
    " VALUES (gen_random_uuid(), 'c-1', 'demo', 'old', 'listen', 'bytes 0-9/10', now())"
)


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    await migrated(database_url)
    async with connected(database_url) as database:
        yield database


@pytest.fixture
async def client(database: Database, tmp_path: Path) -> AsyncIterator[httpx.AsyncClient]:
    async with recordings_over(database, tmp_path) as client:
        yield client


@pytest.fixture
async def stored(client: httpx.AsyncClient) -> str:
    """Push a recording; return where it is."""
    answer = await client.put(PLACE, content=BODY, headers=WAV)
    assert answer.status_code == 201, answer.text
    return answer.headers["Location"]


async def log_of(client: httpx.AsyncClient, place: str, ready: Callable[[list[Any]], bool]) -> list[dict[str, Any]]:
    """Return the accesses to a recording once `ready` says that their ends are written."""

    async def check() -> list[dict[str, Any]] | None:
        seen = (await client.get(f"{place}/access-log")).json()
        assert seen["intact"] is True
        return seen["accesses"] if ready(seen["accesses"]) else None

    return list(await eventually(check))


def ended(accesses: list[Any]) -> bool:
    return bool(accesses) and all(one["ended_at"] for one in accesses)


async def test_everything_about_an_access_is_written(client: httpx.AsyncClient, stored: str) -> None:
    headers = {"X-Access-Reason": "жалоба 17, +79031112233".encode(), "X-Request-Id": "req-1", "Range": "bytes=0-99"}
    heard = await client.get(stored, headers=headers)
    assert (heard.status_code, heard.headers["X-Request-Id"]) == (206, "req-1")
    (one,) = await log_of(client, stored, ended)
    assert stored.endswith(one["recording_id"])
    del one["access_id"], one["recording_id"], one["call_id"], one["at"], one["ended_at"]
    assert one == {
        "actor": "root", "auth_method": "bearer token", "action": "listen", "byte_range": f"bytes 0-99/{len(BODY)}",
        "reason": "жалоба 17, +7***2233", "ip": "127.0.0.1", "request_id": "req-1", "outcome": "served", "bytes_sent": 100,
        "phone_hash": None,
    }  # fmt: skip


async def test_a_request_without_an_id_gets_one(client: httpx.AsyncClient, stored: str) -> None:
    trace = "0af7651916cd43dd8448eb211c80319c"
    with_trace = {"traceparent": f"00-{trace}-b7ad6b7169203331-01", "X-Request-Id": "no good: \t"}
    answers = [await client.get(f"{stored}/waveform", headers=headers) for headers in (with_trace, {})]
    ids = [answer.headers["X-Request-Id"] for answer in answers]
    assert ids[0] == trace
    assert len(ids[1]) == 36
    noted = await log_of(client, stored, lambda found: len(found) == 2)
    assert [one["request_id"] for one in noted] == ids
    assert [one["outcome"] for one in noted] == ["granted", "granted"]


async def test_who_is_refused_is_written_down_too(client: httpx.AsyncClient, stored: str, database: Database) -> None:
    for token, status in (("stranger", 404), ("nobody", 401)):
        for path in (stored, f"{stored}/waveform"):
            assert (await client.get(path, headers={"Authorization": f"Bearer {token}"})).status_code == status
    noted = await log_of(client, stored, lambda found: len(found) == 2)
    assert [(one["actor"], one["action"], one["outcome"]) for one in noted] == [
        ("stranger", "listen", "refused"), ("stranger", "waveform", "refused"),
    ]  # fmt: skip


async def test_a_reader_who_goes_away_was_not_given_everything(client: httpx.AsyncClient, stored: str) -> None:
    app = client._transport.app  # type: ignore[attr-defined]
    scope = {
        "type": "http", "method": "GET", "path": stored, "raw_path": stored.encode(), "query_string": b"",
        "headers": [(b"authorization", b"Bearer root")], "client": ("192.0.2.7", 1), "server": ("ingest", 80),
        "scheme": "http", "http_version": "1.1", "root_path": "", "asgi": {"version": "3.0", "spec_version": "2.4"},
    }  # fmt: skip

    async def receive() -> dict[str, Any]:
        await asyncio.Event().wait()
        raise AssertionError

    async def send(message: dict[str, Any]) -> None:
        if message["type"] == "http.response.body":
            raise OSError("gone")

    with pytest.raises(ClientDisconnect):
        await app(scope, receive, send)
    (one,) = await log_of(client, stored, ended)
    assert (one["outcome"], one["bytes_sent"], one["ip"]) == ("cut", 0, "192.0.2.7")


async def test_audio_that_is_not_there_is_lost(client: httpx.AsyncClient, stored: str, tmp_path: Path) -> None:
    for path in (tmp_path / "storage" / "audio").rglob("*"):
        if path.is_file():
            path.unlink()
    assert (await client.get(stored)).status_code == 500
    (one,) = await log_of(client, stored, ended)
    assert (one["outcome"], one["bytes_sent"]) == ("lost", 0)


async def test_the_log_is_searched_by_who_it_was(client: httpx.AsyncClient, stored: str) -> None:
    for token in ("root", "pbx", "pbx", "stranger"):
        await client.get(f"{stored}/waveform", headers={"Authorization": f"Bearer {token}"})
    await client.get(stored)
    await log_of(client, stored, lambda found: len(found) == 5 and bool(found[-1]["ended_at"]))

    async def found(query: str, token: str = "root") -> list[tuple[str, str]]:
        answer = await client.get(f"/v1/access-log?{query}", headers={"Authorization": f"Bearer {token}"})
        assert answer.status_code == 200, answer.text
        assert answer.json()["intact"] is True
        return [(one["actor"], one["outcome"]) for one in answer.json()["accesses"]]

    everything = [
        ("root", "served"),
        ("stranger", "refused"),
        ("pbx", "granted"),
        ("pbx", "granted"),
        ("root", "granted"),
    ]
    assert await found("") == everything
    assert await found("actor=pbx") == [("pbx", "granted")] * 2
    assert await found("actor=root&action=listen") == [("root", "served")]
    assert await found("tenant=solo") == everything
    assert await found("", "pbx") == everything
    assert await found("", "stranger") == []
    assert (
        await client.get("/v1/access-log?tenant=solo", headers={"Authorization": "Bearer stranger"})
    ).status_code == 403
    tomorrow = (utc_now() + timedelta(days=1)).isoformat().replace("+00:00", "Z")
    assert (
        await found(f"since={(utc_now() + timedelta(hours=1)).isoformat().replace('+00:00', 'Z')}&until={tomorrow}")
        == []
    )
    pages, cursor = [], ""
    while True:
        page = (await client.get(f"/v1/access-log?limit=2{cursor}")).json()
        pages += [(one["actor"], one["outcome"]) for one in page["accesses"]]
        if page["next"] is None:
            break
        cursor = f"&cursor={page['next']}"
    assert pages == everything


async def test_an_end_that_somebody_changed_shows(client: httpx.AsyncClient, stored: str, database: Database) -> None:
    await client.get(stored)
    await log_of(client, stored, ended)
    async with database.acquire() as connection:
        await connection.execute("ALTER TABLE access_log DISABLE TRIGGER access_log_append_only")
        await connection.execute("UPDATE access_log SET bytes_sent = 1 WHERE begun IS NOT NULL")
    assert (await client.get(f"{stored}/access-log")).json()["intact"] is False
    assert (await client.get("/v1/access-log")).json()["intact"] is False


async def test_where_a_reason_is_required_nobody_listens_without(database: Database, tmp_path: Path) -> None:
    async with recordings_over(database, tmp_path, reason_required=True) as client:
        place = (await client.put(PLACE, content=BODY, headers=WAV)).headers["Location"]
        for path in (place, f"{place}/waveform"):
            answer = await client.get(path)
            assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (400, "header/X-Access-Reason")
            assert (await client.get(path, headers={"X-Access-Reason": "case 17"})).status_code == 200


@pytest.mark.parametrize(
    "column", ["auth_method", "reason", "ip", "request_id", "outcome", "bytes_sent", "begun", "at"]
)
async def test_rows_of_before_still_verify_and_no_column_is_changed_unseen(database_url: str, column: str) -> None:
    """Migrations up to 0105, two rows; the rest, two more: a whole chain. Then a column of the new ones is emptied."""
    await migrated(database_url)
    connection = await asyncpg.connect(database_url, server_settings={"search_path": SCHEMA})
    old = files("recording_ingest.migrations").joinpath("0101_pre_access_chain.sql").read_text()
    before = old[old.index("CREATE FUNCTION access_row_hash") : old.index("CREATE FUNCTION chain_access")]
    new = files("recording_ingest.migrations").joinpath("0106_pre_access_context.sql").read_text()
    try:
        await connection.execute(before.replace("CREATE FUNCTION", "CREATE OR REPLACE FUNCTION"))
        for _ in range(2):
            await connection.execute(OLD_ROW)
        await connection.execute(new[new.index("CREATE OR REPLACE FUNCTION") :])
        await connection.execute(OLD_ROW)
        await connection.execute(
            "INSERT INTO access_log (recording_id, call_id, actor, action, at, auth_method, reason, ip, request_id, outcome,"
            " bytes_sent, begun) VALUES (gen_random_uuid(), 'c-1', 'new', 'listen', now(), 'b', 'r', 'i', 'q', 'served', 7, 1)"
        )
        assert (await walk_access_log(connection)).broken is None
        await connection.execute("ALTER TABLE access_log DISABLE TRIGGER USER")
        emptied = "now() - interval '1 day'" if column == "at" else "NULL"
        await connection.execute(f"UPDATE access_log SET {column} = {emptied} WHERE actor = 'new'")
        assert "it was changed" in str((await walk_access_log(connection)).broken)
    finally:
        await connection.close()
