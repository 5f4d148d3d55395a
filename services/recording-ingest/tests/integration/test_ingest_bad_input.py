"""What no analyst means to send, at every door: a 4xx that names the field, and never a 500."""

from collections.abc import AsyncIterator, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import APIRouter
from ingest_api import application, token_book
from ingest_keys import vault
from ingest_push import TENANTS
from ingest_stack import connected, migrated

from fareline_chassis.clock import utc_now
from fareline_chassis.postgres.pool import Database
from recording_ingest.domain.keeping import Retention
from recording_ingest.inbound.access import Gate
from recording_ingest.inbound.keeping_api import KeepingApi
from recording_ingest.inbound.push_api import PushApi
from recording_ingest.outbound.audio import AudioIndex
from recording_ingest.outbound.downloads import Caps
from recording_ingest.outbound.inbox import PushInbox
from recording_ingest.outbound.postgres_calls import PostgresCalls
from recording_ingest.outbound.postgres_erasures import PostgresErasures
from recording_ingest.outbound.postgres_intake import PostgresIntake
from recording_ingest.outbound.postgres_keeping import PostgresKeeping
from recording_ingest.outbound.storage import ObjectStorage
from recording_ingest.usecases.forget import Forgetting
from recording_ingest.usecases.receive_recording import Receiving

NUL, LONG = "%00", "x" * 5000
ID = "00000000-0000-4000-8000-000000000000"
TIMES = [
    "2026-11-24", "1764000000", "2026-11-24T00:00:00", "2026-02-30T00:00:00Z", "2026-11-24T25:00:00Z", "0001-01-01T00:00:00Z",
    "9999-12-31T23:59:59Z", "2026-11-24T00:00:00+99:00", "2026-11-24T00:00:00%2B24:00", "-1", "", "now", f"2026{NUL}", LONG,
]  # fmt: skip
WORDS = ["tenant", "order_id", "disposition", "reason", "source", "direction", "driver_id", "client_id"]
QUERIES = [
    *((f"{name}={text}", name) for name in ("since", "until", "updated_since") for text in TIMES),
    *((f"{name}={text}", name) for name in WORDS for text in ("", NUL, f"a{NUL}b", LONG)),
    *(
        (f"{name}={text}", name)
        for name in ("disposition", "reason", "source", "direction")
        for text in ("", "nix", "Pair")
    ),
    *((f"number={text}", "number") for text in ("", "abc", "+", "123", "7" * 16, f"7{NUL}", "٣٤", LONG)),
    *((f"min_talk_s={text}", "min_talk_s") for text in ("-1", "nan", "inf", "1e999", "x", "", "0x10")),
    *((f"recording={text}", "recording") for text in ("", "lost", NUL, "stored%0A")),
    ("since=2026-11-24T00:00:00Z&until=2026-11-24T00:00:00Z", "since"),
    ("since=2026-10-01T00:00:00Z&until=2026-11-01T00:00:01Z", "since"),
    ("since=2026-11-24T00:00:00Z&since=2026-11-24T00:00:00Z", "since"),
    ("colour=red", "colour"),
    ("party=79031112233", "party"),
    (f"{LONG}=1", LONG),
]
PAGES = [
    *((f"limit={text}", "limit") for text in ("0", "-1", "1001", "1e2", "x", "", "9" * 40, NUL)),
    *((f"cursor={text}", "cursor") for text in ("", "x", "%00", "=" * 9, "é", "A" * 1200, "A" * 1201, "%F0%28%8C%BC", "////", "AAAA")),
]  # fmt: skip
STATS = [
    *((f"tz={text}", "tz") for text in ("", "Mars", "../../etc/passwd", "/etc/passwd", f"UTC{NUL}", "Europe", LONG, "utc%0A")),
    *((f"tz={text}", "tz") for text in ("localtime", "posixrules", "Factory", "posix/UTC", "right/Europe/Moscow", "Europe/Moscow/", "-")),
    *((f"group_by={text}", "group_by") for text in ("", "colour", NUL)),
]  # fmt: skip
ACCESSES = [
    *((f"{name}={text}", name) for name in ("since", "until") for text in TIMES),
    *((f"{name}={text}", name) for name in ("actor", "tenant") for text in ("", NUL, LONG)),
    *((f"action={text}", "action") for text in ("", "hear", NUL)),
    *((f"limit={text}", "limit") for text in ("0", "1001", "x")),
    *((f"cursor={text}", "cursor") for text in ("", "0", "-1", "x", "1.5", "9" * 40, "9999")),
    ("since=2026-10-01T00:00:00Z&until=2026-11-01T00:00:01Z", "since"),
    ("colour=red", "colour"),
]  # fmt: skip


@pytest.fixture
async def client(database_url: str, tmp_path: Path) -> AsyncIterator[httpx.AsyncClient]:
    await migrated(database_url)
    async with connected(database_url) as database:
        audio = AudioIndex(1)
        app = application(database, tmp_path, others_over(database, tmp_path, audio))
        transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
        headers = {"Authorization": "Bearer root"}
        async with httpx.AsyncClient(transport=transport, base_url="http://ingest", headers=headers) as client:
            yield client
        await audio.close()


def others_over(database: Database, folder: Path, audio: AudioIndex) -> Sequence[APIRouter]:
    gate, store, phones = Gate(token_book()), ObjectStorage(str(folder)), vault(folder)
    keeping = PostgresKeeping(database, Retention())
    forgetting = Forgetting(keeping, PostgresErasures(database, phones), store, utc_now, timedelta(days=30))
    receiving = Receiving(PushInbox(Caps()), PostgresIntake(database), store, audio, utc_now)
    return (
        PushApi(receiving, gate, lambda name: TENANTS.get(name, ()), 1000).router(),
        KeepingApi(forgetting, keeping, PostgresCalls(database, phones), gate).router(),
    )


async def asked(
    client: httpx.AsyncClient, method: str, path: str, pointer: str | None, **more: Any
) -> tuple[object, ...] | None:
    """Return what is wrong with an answer to something that should be refused; None where nothing is."""
    answer = await client.request(method, path, **more)
    described = answer.headers.get("content-type") == "application/problem+json"
    pointers = [error["pointer"] for error in answer.json().get("errors", ())] if described else []
    named = pointer is None or any(found.startswith(pointer[:60]) for found in pointers)
    right = answer.status_code in (400, 404, 422) and described and named
    return None if right else (method, path[:80], str(more)[:80], answer.status_code, pointer, answer.text[:200])


async def all_wrong(client: httpx.AsyncClient, questions: Sequence[tuple[Any, ...]]) -> list[tuple[object, ...]]:
    answers = [
        await asked(client, *question[:3], **(question[3] if len(question) > 3 else {})) for question in questions
    ]
    return [answer for answer in answers if answer is not None]


@pytest.mark.parametrize("path", ["/v1/calls", "/v1/calls.csv", "/v1/calls.parquet", "/v1/calls/stats"])
async def test_every_parameter_that_is_none(client: httpx.AsyncClient, path: str) -> None:
    own = {"/v1/calls": PAGES, "/v1/calls/stats": STATS}.get(path, [])
    questions = [("GET", f"{path}?{query}", f"query/{name}") for query, name in [*QUERIES, *own]]
    assert await all_wrong(client, questions) == []


async def test_every_parameter_of_the_access_log_that_is_none(client: httpx.AsyncClient) -> None:
    questions = [("GET", f"/v1/access-log?{query}", f"query/{name}") for query, name in ACCESSES]
    assert await all_wrong(client, questions) == []


async def test_reasons_that_are_none(client: httpx.AsyncClient) -> None:
    reasons = ["x" * 201, b"case \x01", b"\xff\xfe", "case\tfive"]
    questions = [
        ("GET", f"/v1/recordings/{ID}{rest}", "header/X-Access-Reason", {"headers": {"X-Access-Reason": reason}})
        for reason in reasons
        for rest in ("", "/waveform")
    ]
    assert await all_wrong(client, questions) == []


async def test_every_field_of_a_search_that_is_none(client: httpx.AsyncClient) -> None:
    fields: dict[str, list[Any]] = {
        "since": ["yesterday", 7, {}, "2026-11-24T00:00:00", "9999-01-01T00:00:00Z"],
        "limit": [0, 1001, "x", None, 1.5, 10**40],
        "cursor": ["x", 7, "A" * 1201, "\x00"],
        "caller": ["Anna", "", "+" * 9, "7" * 16, 7, [], "+7903\x001112233"],
        "party": ["Anna", "123", "+7903", {"$ne": 1}],
        "order_id": ["\x00", "x" * 300, 7],
        "reason": ["nix", "", 7],
        "min_talk_s": [-1, "x"],
        "colour": ["red"],
    }
    bodies = [("#/" + name, {name: value}) for name, values in fields.items() for value in values]
    questions = [("POST", "/v1/calls/search", pointer, {"json": body}) for pointer, body in bodies]
    raw = [b"", b"{", b"[]", b"null", b'"x"', b"\xff\xfe", b"{" * 5000, b'{"since": NaN}', b'{"limit": 1e999}']
    questions += [("POST", "/v1/calls/search", None, {"content": body}) for body in raw]
    questions += [("POST", "/v1/calls/search?limit=5", "query/limit", {"json": {}})]
    assert await all_wrong(client, questions) == []


async def test_ids_that_are_none(client: httpx.AsyncClient) -> None:
    calls = [f"a{NUL}", "x" * 300, "%2e%2e%2fetc%2fpasswd"]
    recordings = ["abc", f"{ID}{NUL}", ID[:-1], "x" * 300, "-1"]
    paths = [f"/v1/calls/{one}{rest}" for one in calls for rest in ("", "/recordings", "/legal-hold")]
    paths += [f"/v1/recordings/{one}{rest}" for one in recordings for rest in ("", "/waveform", "/access-log")]
    paths += [f"/v1/erasures/{one}" for one in recordings]
    paths += [f"/v1/tenants/{one}/orders/o-1/calls" for one in calls]
    paths += [f"/v1/tenants/demo/orders/{one}/calls" for one in calls if NUL in one or len(one) > 128]
    assert await all_wrong(client, [("GET", path, None) for path in paths]) == []


async def test_routes_without_parameters_take_none(client: httpx.AsyncClient) -> None:
    paths = [f"/v1/recordings/{ID}{rest}" for rest in ("", "/waveform", "/access-log")]
    paths += ["/v1/calls/c-1", "/v1/calls/c-1/recordings", "/v1/calls/c-1/legal-hold", "/v1/legal-holds"]
    paths += [f"/v1/erasures/{ID}", "/v1/tenants/demo/orders/o-1/calls"]
    assert await all_wrong(client, [("GET", f"{path}?colour=red", "query/colour") for path in paths]) == []


async def test_holds_erasures_and_pushes_that_are_none(client: httpx.AsyncClient) -> None:
    hold = [{}, {"reason": ""}, {"reason": "x" * 300}, {"reason": "\x00"}, {"reason": 7}, {"reason": "a", "b": 1}, []]
    questions: list[tuple[Any, ...]] = [("PUT", "/v1/calls/c-1/legal-hold", "#", {"json": body}) for body in hold]
    whom: list[Any] = [
        {}, [], {"tenant": "demo"}, {"tenant": "", "phones": ["+79031112233"]}, {"tenant": "demo", "phones": "+79031112233"},
        {"tenant": "demo", "phones": ["89031112233"]}, {"tenant": "demo", "phones": ["+79031112233"] * 21},
        {"tenant": "demo", "phones": ["+7903\x001112233"]}, {"tenant": "demo", "driver_id": "\x00"},
        {"tenant": "demo", "driver_id": "x" * 300}, {"tenant": "demo", "driver_id": ""}, {"tenant": "\x00", "driver_id": "d"},
        {"tenant": "demo", "phones": [], "driver_id": None}, {"tenant": "demo", "phones": ["+79031112233\n"]},
    ]  # fmt: skip
    questions += [("POST", "/v1/erasures", "#", {"json": body}) for body in whom]
    place, kind = "/v1/recordings/demo-asterisk", {"headers": {"Content-Type": "audio/wav"}, "content": b"x"}
    pushes = [
        ("17?part=1&part=2", "query/part"), ("17?part=٣", "query/part"), ("17?part=0", "query/part"), ("17?part=x", "query/part"), ("17?channel=left", "query/channel"),
        ("17?colour=red", "query/colour"), (f"17{NUL}", "path/pbx_call_id"), ("x" * 201, "path/pbx_call_id"),
        ("%20", "path/pbx_call_id"), ("17", None),
    ]  # fmt: skip
    questions += [("PUT", f"{place}/{rest}", pointer, kind) for rest, pointer in pushes]
    questions += [("PUT", f"/v1/recordings/{name}/17", None, kind) for name in ("UPPER", "x" * 64, f"a{NUL}", "gone")]
    assert await all_wrong(client, questions) == []
