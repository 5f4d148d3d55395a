"""The call log as an analyst asks it: every filter, pages that hold, phones masked or not, files."""

import csv
import io
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from ingest_api import Reader, project, reader
from ingest_keys import vault
from ingest_stack import connected, migrated
from ingest_story import START, answered_call, at, ended, ready, routed

from fareline_chassis.postgres.pool import Database
from recording_ingest.inbound.call_shapes import CallsOut, OrderCallsOut, StatsOut
from recording_ingest.inbound.exports import COLUMNS, parquet_schema

DAY = "since=2026-11-24T00:00:00Z&until=2026-11-25T00:00:00Z"
CALLS = 23


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    await migrated(database_url)
    async with connected(database_url) as database:
        yield database


@pytest.fixture
async def client(database: Database, tmp_path: Path) -> AsyncIterator[Reader]:
    async with reader(database, tmp_path) as client:
        yield client


async def tell(database: Database, folder: Path, *told: Any) -> None:
    await project(database, vault(folder), list(told))


def one_call(n: int, **more: Any) -> list[Any]:
    name = f"c-{n:02}"
    return [routed(n, call_id=name, **more), ended(60 + n, call_id=name, started_at=at(n), bridged_at=at(n + 5))]


async def ids(client: Reader, query: str, who: str = "analyst") -> list[str]:
    response = await client.ask(f"/v1/calls?{DAY}&{query}", who)
    assert response.status_code == 200, response.text
    return [call["call_id"] for call in response.json()["calls"]]


async def test_every_filter_chooses(database: Database, client: Reader, tmp_path: Path) -> None:
    other = routed(50, call_id="other", order_id="o-2", reason="extension", status="arrived", caller="+79990001122")
    other[2]["number"] = "+74950000102"
    other[2]["decision"] |= {
        "source": "binder",
        "direction": "client_to_driver",
        "driver_id": "d-9",
        "client_id": "c-9",
    }
    end = ended(300, call_id="other", disposition="busy", started_at=at(50))
    await tell(database, tmp_path, *one_call(1), other, end, ready(call_id="other"))
    assert await ids(client, "") == ["other", "c-01"]
    for chosen in (
        "number=%2B74950000102", "number=+74950000102", "order_id=o-2", "disposition=busy", "reason=extension",
        "source=binder", "direction=client_to_driver", "driver_id=d-9", "client_id=c-9", "recording=ready",
    ):  # fmt: skip
        assert await ids(client, chosen) == ["other"], chosen
    assert await ids(client, "recording=expected") == ["c-01"]
    assert await ids(client, "min_talk_s=55") == ["c-01"]
    assert await ids(client, "min_talk_s=56") == []
    assert await ids(client, "tenant=demo&updated_since=2100-01-01T00:00:00Z") == []
    assert await ids(client, "", "stranger") == []
    assert await ids(client, "", "both") == ["other", "c-01"]


async def test_pages_show_every_call_once_while_others_arrive(
    database: Database, client: Reader, tmp_path: Path
) -> None:
    # three calls of each second, so that the time alone does not order them
    for n in range(CALLS):
        name = f"c-{n:02}"
        await tell(database, tmp_path, routed(n // 3, call_id=name))
    seen: list[str] = []
    cursor = ""
    for page in range(CALLS):
        answer = (await client.ask(f"/v1/calls?{DAY}&limit=4{cursor}")).json()
        seen += [call["call_id"] for call in answer["calls"]]
        if answer["next"] is None:
            break
        cursor = f"&cursor={answer['next']}"
        await tell(database, tmp_path, routed(3600 + page, call_id=f"new-{page}"))
    assert seen == sorted((f"c-{n:02}" for n in range(CALLS)), reverse=True)


async def test_a_cursor_belongs_to_its_question(database: Database, client: Reader, tmp_path: Path) -> None:
    for n in range(3):
        await tell(database, tmp_path, *one_call(n))
    word = (await client.ask(f"/v1/calls?{DAY}&limit=1")).json()["next"]
    assert (await client.ask(f"/v1/calls?{DAY}&limit=2&cursor={word}")).status_code == 200
    for asked in (
        f"{DAY}&cursor={word}&reason=extension", f"{DAY}&cursor={word[:-2]}AA", f"cursor={word}", f"{DAY}&cursor={word}x",
    ):  # fmt: skip
        refused = await client.ask(f"/v1/calls?{asked}")
        assert (refused.status_code, refused.json()["errors"][0]["pointer"]) == (400, "query/cursor"), asked
    body = {"since": "2026-11-24T00:00:00Z", "until": "2026-11-25T00:00:00Z"}
    assert (await client.ask("/v1/calls/search", json={**body, "cursor": word})).status_code == 200
    refused = await client.ask("/v1/calls/search", json={**body, "cursor": word, "caller": "+79031112233"})
    assert refused.json()["errors"][0]["pointer"] == "#/cursor"


async def test_by_default_the_period_moves_on_but_a_question_keeps_its_own(
    database: Database, client: Reader, tmp_path: Path
) -> None:
    for n in range(3):
        await tell(database, tmp_path, *one_call(n))
    first = (await client.ask("/v1/calls?limit=2")).json()
    rest = (await client.ask(f"/v1/calls?limit=2&cursor={first['next']}")).json()
    assert [call["call_id"] for call in first["calls"] + rest["calls"]] == ["c-02", "c-01", "c-00"]


@pytest.mark.parametrize("written", ["+79031112233", "79031112233", " +79031112233 "])
async def test_a_search_finds_by_the_full_number(
    database: Database, client: Reader, tmp_path: Path, written: str
) -> None:
    await tell(database, tmp_path, *one_call(1), *one_call(2, caller="+79260000000"))
    body: dict[str, Any] = {"since": "2026-11-24T00:00:00Z", "until": "2026-11-25T00:00:00Z"}
    for who, caller in (("analyst", "+7***2233"), ("chief", "+79031112233")):
        found = (await client.ask("/v1/calls/search", who, json={**body, "caller": written})).json()["calls"]
        assert [(call["call_id"], call["caller"]) for call in found] == [("c-01", caller)]
    found = (await client.ask("/v1/calls/search", json={**body, "party": "+79261234567"})).json()["calls"]
    assert [call["call_id"] for call in found] == ["c-02", "c-01"]
    assert (await client.ask("/v1/calls/search", json={**body, "caller": "Anna"})).status_code == 400
    assert (await client.ask("/v1/calls/search", json={**body, "colour": "red"})).status_code == 400


async def test_everything_that_was_tried_for_an_order(database: Database, client: Reader, tmp_path: Path) -> None:
    await tell(
        database, tmp_path, *one_call(1), *one_call(2), *one_call(3, status="arrived"), *one_call(4, order_id="o-2")
    )
    answer = (await client.ask("/v1/tenants/demo/orders/o-1001/calls")).json()
    OrderCallsOut.model_validate(answer)
    told = [(call["call_id"], call["order_status"], call["attempt"]) for call in answer["calls"]]
    assert told == [("c-01", "accepted", 1), ("c-02", "accepted", 2), ("c-03", "arrived", 1)]


async def test_lists_are_what_their_models_say(database: Database, client: Reader, tmp_path: Path) -> None:
    await tell(database, tmp_path, *answered_call())
    answer = (await client.ask(f"/v1/calls?{DAY}")).json()
    CallsOut.model_validate(answer, strict=False)
    assert list(answer["calls"][0]) == list(COLUMNS)
    one = (await client.ask("/v1/calls/c-1")).json()["call"]
    assert list(one) == list(COLUMNS)
    assert one == answer["calls"][0]
    StatsOut.model_validate((await client.ask(f"/v1/calls/stats?{DAY}")).json())


async def test_a_spreadsheet_finds_no_formula(database: Database, client: Reader, tmp_path: Path) -> None:
    evil = ["=cmd|' /C calc'!A0", "+1+1", "-2+3", "@SUM(A1)", "\tx", " =1+1", "\uff1d1+1", 'a,"b"\nc']
    for n, text in enumerate(evil):
        await tell(database, tmp_path, *one_call(n, order_id=text))
    response = await client.ask(f"/v1/calls.csv?{DAY}")
    assert response.headers["content-type"] == "text/csv; charset=utf-8"
    rows = list(csv.DictReader(io.StringIO(response.text)))
    got = [row["order_id"] for row in rows][::-1]
    assert got == [*(f"'{text}" for text in evil[:-1]), evil[-1]]
    for row in rows:
        assert not any(cell.startswith(("=", "+", "-", "@", "\t", "\r", "\n")) for cell in row.values())
    assert rows[0]["caller"] == "'+7***2233"
    assert list(rows[0]) == list(COLUMNS)


async def test_parquet_has_types_and_the_same_rows(database: Database, client: Reader, tmp_path: Path) -> None:
    await tell(database, tmp_path, *answered_call(), *one_call(2, tenant="solo"))
    response = await client.ask(f"/v1/calls.parquet?{DAY}", "chief")
    table = pq.read_table(io.BytesIO(response.content))
    assert table.schema.equals(parquet_schema(), check_metadata=True)
    (row,) = table.to_pylist()
    assert (row["call_id"], row["caller"], row["started_at"], row["talk_s"]) == ("c-1", "+79031112233", START, 51.0)
    empty = await client.ask(f"/v1/calls.parquet?{DAY}&reason=loop", "chief")
    assert pq.read_table(io.BytesIO(empty.content)).num_rows == 0
    assert (await client.ask(f"/v1/calls.csv?{DAY}&reason=loop")).text == ",".join(COLUMNS) + "\r\n"


async def test_an_export_has_every_row_over_many_pages(
    database: Database, client: Reader, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("recording_ingest.usecases.find_calls._AT_ONCE", 4)
    await tell(database, tmp_path, *(one for n in range(CALLS) for one in one_call(n)))
    rows = list(csv.DictReader(io.StringIO((await client.ask(f"/v1/calls.csv?{DAY}")).text)))
    assert [row["call_id"] for row in rows] == sorted((f"c-{n:02}" for n in range(CALLS)), reverse=True)
    table = pq.read_table(io.BytesIO((await client.ask(f"/v1/calls.parquet?{DAY}")).content))
    assert table.num_rows == CALLS


@pytest.mark.parametrize(
    ("path", "pointer"),
    [
        (f"/v1/calls.csv?{DAY}&limit=5", "query/limit"),
        ("/v1/calls.parquet?since=2026-01-01T00:00:00Z&until=2026-03-01T00:00:00Z", "query/since"),
        ("/v1/calls/stats?group_by=colour", "query/group_by"),
        ("/v1/calls/stats?tz=../etc/passwd", "query/tz"),
        ("/v1/calls/stats?tz=Nowhere", "query/tz"),
        ("/v1/calls/stats?caller=%2B79031112233", "query/caller"),
        ("/v1/calls?caller=%2B79031112233", "query/caller"),
        ("/v1/calls?number=abc", "query/number"),
        ("/v1/calls/c-1?verbose=1", "query/verbose"),
        ("/v1/tenants/demo/orders/o-1/calls?limit=3", "query/limit"),
    ],
)
async def test_questions_that_are_refused_name_the_parameter(client: Reader, path: str, pointer: str) -> None:
    response = await client.ask(path)
    assert response.status_code == 400
    assert [error["pointer"] for error in response.json()["errors"]] == [pointer]
    assert "9031112233" not in response.text


async def test_a_time_zone_that_the_database_lacks_is_the_questions_fault(
    database: Database, client: Reader, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await tell(database, tmp_path, *one_call(1))
    monkeypatch.setattr("recording_ingest.inbound.questions.ZoneInfo", str)
    response = await client.ask(f"/v1/calls/stats?{DAY}&tz=Mars/Base")
    assert (response.status_code, response.json()["errors"][0]["pointer"]) == (400, "query/tz")


async def test_a_question_that_takes_too_long_is_given_up(database: Database, tmp_path: Path) -> None:
    from recording_ingest.outbound.postgres_calls import PostgresCalls
    from recording_ingest.ports.calls import TakesTooLong

    finder = PostgresCalls(database, vault(tmp_path), patience=timedelta(milliseconds=50))
    with pytest.raises(TakesTooLong):
        await finder._fetch("SELECT pg_sleep(30)")
    async with database.acquire() as connection:
        assert await connection.fetchval("SELECT 1") == 1
