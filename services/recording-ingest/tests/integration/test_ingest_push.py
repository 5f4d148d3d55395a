"""Recordings pushed by a PBX: once, whole, checked, whatever came before; and the log of who listened."""

import asyncio
import base64
import hashlib
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import asyncpg
import httpx
import numpy as np
import pytest
from ingest_push import CAP, recordings_over
from ingest_source import audio
from ingest_stack import connected, migrated

from fareline_chassis.postgres.pool import Database
from recording_ingest.domain.identity import call_id_of
from recording_ingest.domain.recordings import Recording, State, recording_id
from recording_ingest.outbound.postgres_intake import PostgresIntake
from recording_ingest.outbound.postgres_ledger import PostgresLedger

PLACE = "/v1/recordings/demo-asterisk/1700000000.42"
CALL = call_id_of("demo-asterisk", "1700000000.42")
WAV = {"Content-Type": "audio/wav"}
BODY = audio(1.0)


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    await migrated(database_url)
    async with connected(database_url) as database:
        yield database


@pytest.fixture
async def client(database: Database, tmp_path: Path) -> AsyncIterator[httpx.AsyncClient]:
    async with recordings_over(database, tmp_path) as client:
        yield client


async def push(client: httpx.AsyncClient, body: bytes = BODY, query: str = "", **headers: str) -> httpx.Response:
    return await client.put(PLACE + query, content=body, headers=WAV | headers)


async def ledger(database: Database) -> list[Recording]:
    return list(await PostgresIntake(database).known(CALL))


def digest(body: bytes) -> str:
    return f"sha-256=:{base64.b64encode(hashlib.sha256(body).digest()).decode()}:"


async def test_the_same_again_changes_nothing_and_other_content_is_refused(
    client: httpx.AsyncClient, database: Database
) -> None:
    first = await push(client, **{"Content-Digest": digest(BODY)})
    assert (first.status_code, first.json()["sha256"]) == (201, hashlib.sha256(BODY).hexdigest())
    again, other = await push(client), await push(client, audio(2.0))
    assert (again.status_code, again.json()) == (200, first.json())
    assert (other.status_code, other.headers["content-type"]) == (409, "application/problem+json")
    heard = await client.get(first.headers["Location"], headers={"Range": "bytes=0-3"})
    assert (heard.status_code, heard.content) == (206, b"RIFF")
    (entry,) = await ledger(database)
    assert (entry.state, entry.channel, entry.part) == (State.STORED, "both", 1)


async def test_parts_and_channels_are_recordings_of_their_own(client: httpx.AsyncClient, database: Database) -> None:
    for query in ("?part=1&channel=caller", "?part=1&channel=callee", "?part=2&channel=both"):
        assert (await push(client, query=query)).status_code == 201
    kept = sorted((entry.part, entry.channel) for entry in await ledger(database))
    assert kept == [(1, "callee"), (1, "caller"), (2, "both")]


async def test_what_a_call_owes_is_what_the_push_brings(client: httpx.AsyncClient, database: Database) -> None:
    owed = recording_id(CALL, None)
    async with database.acquire() as connection:
        await connection.execute(
            "INSERT INTO recordings (recording_id, call_id, account, pbx_call_id, tenant, state, part, attempts, detail,"
            " next_attempt_at) VALUES ($1, $2, 'demo-asterisk', '1700000000.42', 'demo', 'expected', 1, 0, '', now())",
            owed, CALL,
        )  # fmt: skip
    assert (await push(client)).json()["recording_id"] == owed
    (entry,) = await ledger(database)
    assert (entry.state, entry.tenant, entry.next_attempt_at) == (State.STORED, "demo", None)


async def test_many_at_once_are_one(client: httpx.AsyncClient, database: Database) -> None:
    answers = await asyncio.gather(*(push(client) for _ in range(8)))
    assert {answer.status_code for answer in answers} <= {200, 201}
    assert len(await ledger(database)) == 1


async def test_a_push_that_ended_before_the_ledger_is_taken_up_by_the_next(
    client: httpx.AsyncClient, database: Database
) -> None:
    await push(client)
    async with database.acquire() as connection:
        await connection.execute("DELETE FROM recordings")
    assert (await push(client, audio(2.0))).status_code == 409
    (entry,) = await ledger(database)
    assert entry.sha256 == hashlib.sha256(BODY).hexdigest()
    assert (await push(client)).status_code == 200


async def test_bare_samples_become_a_wav_file(client: httpx.AsyncClient) -> None:
    samples = (np.sin(np.arange(16_000) / 5) * 9_000).astype(">i2").tobytes()
    kind = {"Content-Type": "audio/L16;rate=8000;channels=2"}
    put = await client.put(PLACE, content=samples, headers=kind | {"Content-Digest": digest(samples)})
    assert put.status_code == 201, put.text
    stored = put.json()
    assert (stored["codec"], stored["channels"], stored["sample_rate"], stored["duration_s"]) == (
        "PCM_16",
        2,
        8000,
        1.0,
    )
    heard = (await client.get(put.headers["Location"])).content
    assert np.frombuffer(heard[44:], "<i2").astype(">i2").tobytes() == samples
    assert (await client.put(PLACE, content=samples, headers=kind)).status_code == 200


@pytest.mark.parametrize(
    ("kind", "body", "status"),
    [
        ("text/html", BODY, 415),
        ("audio/L16", BODY, 415),
        ("audio/L16;rate=x", BODY, 415),
        ("audio/L16;rate=8000;channels=99", BODY, 415),
        ("audio/L16;rate=8000", b"odd", 422),
        ("audio/wav", b"<html>log in</html>", 422),
        ("audio/wav", b"", 422),
        ("audio/wav", BODY[:5000], 422),
        ("audio/wav", b"#EXTM3U\nhttp://10.0.0.1/a.mp3\n", 422),
        ("audio/wav", b"\0" * (CAP + 1), 413),
    ],
)
async def test_what_is_not_taken(
    client: httpx.AsyncClient, database: Database, tmp_path: Path, kind: str, body: bytes, status: int
) -> None:
    answer = await client.put(PLACE, content=body, headers={"Content-Type": kind})
    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json")
    assert await ledger(database) == []
    assert list((tmp_path / "storage" / "incoming").iterdir()) == []


async def test_without_a_length_it_is_counted(client: httpx.AsyncClient) -> None:
    async def endless() -> AsyncIterator[bytes]:
        for _ in range(100):
            yield b"\0" * 10_000

    assert (await client.put(PLACE, content=endless(), headers=WAV)).status_code == 413


@pytest.mark.parametrize("header", [digest(b"other"), "sha-256=:AAAA:", "sha-256=abc", "sha-512=:!!:"])
async def test_a_digest_that_does_not_fit_is_refused(
    client: httpx.AsyncClient, database: Database, header: str
) -> None:
    assert (await push(client, **{"Content-Digest": header})).status_code == 400
    assert await ledger(database) == []


async def test_every_digest_given_is_checked_and_others_are_passed_over(client: httpx.AsyncClient) -> None:
    long = base64.b64encode(hashlib.sha512(BODY).digest()).decode()
    header = f"md5=:AAAA:, sha-512=:{long}:, {digest(BODY)}"
    assert (await push(client, **{"Content-Digest": header})).status_code == 201


@pytest.mark.parametrize("query", ["?part=0", "?part=101", "?channel=left", "?parts=1", "?part=one"])
async def test_questions_that_are_refused(client: httpx.AsyncClient, query: str) -> None:
    assert (await push(client, query=query)).status_code in (400, 422)


async def test_only_for_an_account_whose_tenants_the_token_serves(client: httpx.AsyncClient) -> None:
    async def status(token: str, account: str) -> int:
        headers = WAV | {"Authorization": f"Bearer {token}"}
        return (await client.put(f"/v1/recordings/{account}/1", content=BODY, headers=headers)).status_code

    assert await status("nobody", "solo-asterisk") == 401
    assert await status("stranger", "solo-asterisk") == 404
    assert await status("half", "demo-asterisk") == 403
    assert await status("pbx", "gone") == 404
    assert await status("pbx", "solo-asterisk") == 201


async def test_who_listened_is_a_chain_that_nobody_changes_unseen(
    client: httpx.AsyncClient, database: Database
) -> None:
    place = (await push(client)).headers["Location"]
    await asyncio.gather(*(client.get(place, headers={"Range": f"bytes={n}-{n}"}) for n in range(9)))
    await client.get(f"{place}/waveform")
    seen = (await client.get(f"{place}/access-log")).json()
    assert (seen["intact"], len(seen["accesses"]), seen["accesses"][-1]["action"]) == (True, 10, "waveform")
    async with database.acquire() as connection:
        for change in ("UPDATE access_log SET actor = 'nobody'", "DELETE FROM access_log", "TRUNCATE access_log"):
            with pytest.raises(asyncpg.RestrictViolationError):
                await connection.execute(change)
        links = await connection.fetch("SELECT previous, hash FROM access_log ORDER BY access_id")
        assert [row["previous"] for row in links[1:]] == [row["hash"] for row in links[:-1]]
        assert await connection.fetchval("SELECT hash FROM access_chain") == links[-1]["hash"]
        await connection.execute("ALTER TABLE access_log DISABLE TRIGGER access_log_append_only")
        await connection.execute("UPDATE access_log SET actor = 'nobody' WHERE action = 'waveform'")
    assert (await client.get(f"{place}/access-log")).json()["intact"] is False


async def test_without_the_log_nobody_hears_a_byte(client: httpx.AsyncClient, database: Database) -> None:
    place = (await push(client)).headers["Location"]
    async with database.acquire() as connection:
        await connection.execute("ALTER TABLE access_log RENAME TO access_log_gone")
    for path in (place, f"{place}/waveform"):
        answer = await client.get(path)
        assert (answer.status_code, answer.headers["content-type"]) == (500, "application/problem+json")
        assert b"RIFF" not in answer.content


async def waiting(database: Database, name: str, expires_in: timedelta | None) -> None:
    async with database.acquire() as connection:
        await connection.execute(
            "INSERT INTO recordings (recording_id, call_id, account, pbx_call_id, state, part, attempts, detail,"
            " next_attempt_at, expires_at) VALUES (gen_random_uuid(), $1, 'a', $1, 'ready', 1, 0, '', now(), now() + $2)",
            name, expires_in,
        )  # fmt: skip


async def test_what_its_pbx_deletes_first_is_fetched_first_and_by_one_worker_only(database: Database) -> None:
    queue = PostgresLedger(database)
    for name, expires_in in (("c", None), ("b", timedelta(days=3)), ("a", timedelta(hours=1)), ("d", None)):
        await waiting(database, name, expires_in)
    assert (await queue.backlog())["at_risk"] == 1
    taken = [job.entry.call_id for _ in range(2) for job in await queue.lease(1, lease_for=timedelta(minutes=1))]
    assert taken == ["a", "b"]
    rest = await asyncio.gather(*(queue.lease(2, lease_for=timedelta(minutes=1)) for _ in range(4)))
    assert sorted(job.entry.call_id for jobs in rest for job in jobs) == ["c", "d"]


async def test_turns_are_handed_out_over_all_processes(database: Database) -> None:
    first, second = PostgresLedger(database), PostgresLedger(database)
    every = timedelta(milliseconds=1)
    await asyncio.gather(*(queue.take_turn("zd", every) for queue in (first, second) for _ in range(50)))
    async with database.acquire() as connection:
        await connection.execute("UPDATE account_turns SET next_at = clock_timestamp() + interval '1 hour'")
        wait = await connection.fetchval(first._queries.take_turn, "zd", timedelta(seconds=2))
        next_at = await connection.fetchval("SELECT next_at - clock_timestamp() FROM account_turns")
    assert timedelta(minutes=59) < wait < timedelta(hours=1)
    assert timedelta(hours=1) < next_at < timedelta(hours=1, seconds=2)
