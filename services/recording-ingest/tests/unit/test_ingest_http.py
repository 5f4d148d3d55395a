"""The HTTP interface over an empty call log: what is refused, and how it describes itself."""

import hashlib
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import get_args

import httpx
import pytest
from prometheus_client import CollectorRegistry

from fareline_chassis.auth import Grant, TokenBook
from fareline_chassis.health import Health
from fareline_chassis.postgres.errors import DatabaseUnavailable
from fareline_contracts.calls import CallDirection, DecisionSource
from fareline_contracts.pbx_generic import Disposition
from recording_ingest.domain.events import CallEvent
from recording_ingest.domain.recordings import Recording, State
from recording_ingest.domain.search import CallFilter, Line, Listed
from recording_ingest.inbound import words
from recording_ingest.inbound.access import Gate
from recording_ingest.inbound.calls_api import CallsApi
from recording_ingest.inbound.cursors import Cursors
from recording_ingest.inbound.exports_api import ExportsApi
from recording_ingest.inbound.http import build_http
from recording_ingest.inbound.recordings_api import RecordingsApi
from recording_ingest.outbound.storage import ObjectStorage
from recording_ingest.ports.access_log import Access, AccessFilter, NotedAccess


class EmptyLog:
    """A call log without calls that remembers what it was asked."""

    def __init__(self) -> None:
        self.asked: list[CallFilter] = []

    async def page(self, wanted: CallFilter, *, in_full: bool) -> Sequence[Line]:
        self.asked.append(wanted)
        return ()

    async def stats(self, wanted: CallFilter, group_by: str, tz: str) -> Sequence[Line]:
        self.asked.append(wanted)
        return ()

    async def call(self, call_id: str) -> Listed | None:
        return None

    async def calls_of_order(self, tenant: str, order_id: str, *, in_full: bool) -> Sequence[Line]:
        return ()

    async def story(self, call_id: str) -> Sequence[CallEvent]:
        return ()

    async def recordings(self, call_id: str) -> Sequence[Recording]:
        return ()

    async def recording(self, recording_id: str) -> Recording | None:
        return None

    async def accesses(self, recording_id: str) -> Sequence[NotedAccess]:
        return ()

    async def find_accesses(self, wanted: AccessFilter) -> Sequence[NotedAccess]:
        return ()

    async def log_access(self, access: Access) -> int:
        assert access.action in {"search", "export"}, "nobody listened"
        return 1


@pytest.fixture
def log() -> EmptyLog:
    return EmptyLog()


@pytest.fixture
async def client(log: EmptyLog, tmp_path: Path) -> AsyncIterator[httpx.AsyncClient]:
    def grant(name: str, tenants: set[str], scopes: set[str]) -> tuple[bytes, Grant]:
        return hashlib.sha256(name.encode()).digest(), Grant(name, frozenset(tenants), frozenset(scopes))

    book = TokenBook([
        grant("analyst", {"demo"}, {"calls:read", "recordings:read", "recordings:audit"}),
        grant("root", {"*"}, {"*"}),
        grant("clerk", {"demo"}, {"orders:write"}),
    ])  # fmt: skip

    def now() -> datetime:
        return datetime(2026, 11, 24, 12, tzinfo=UTC)

    calls = CallsApi(log, Gate(book), now, Cursors([b"key"]), log)
    exports = ExportsApi(log, Gate(book), now, log)
    recordings = RecordingsApi(log, ObjectStorage(str(tmp_path)), Gate(book), now)
    app = build_http(calls, exports, recordings, Health(), CollectorRegistry())
    transport = httpx.ASGITransport(app=app)
    headers = {"Authorization": "Bearer analyst"}
    async with httpx.AsyncClient(transport=transport, base_url="http://ingest", headers=headers) as client:
        yield client


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("colour=red", "query/colour"),
        ("limit=1001", "query/limit"),
        ("limit=0", "query/limit"),
        ("since=2026-01-01T00:00:00Z&until=2026-03-01T00:00:00Z", "query/since"),
        ("since=2026-01-01T00:00:00", "query/since"),
        ("since=yesterday", "query/since"),
        ("until=2020-01-01T00:00:00Z&since=2021-01-01T00:00:00Z", "query/since"),
        ("cursor=tampered", "query/cursor"),
        ("cursor=WyIyMDI2LTExLTI0VDEwOjAwOjAwIiwgMV0", "query/cursor"),
        ("recording=lost", "query/recording"),
        ("disposition=ok", "query/disposition"),
        ("reason=nix", "query/reason"),
        ("source=x", "query/source"),
        ("direction=sideways", "query/direction"),
        ("number=123", "query/number"),
        ("number=0903111", "query/number"),
        ("min_talk_s=nan", "query/min_talk_s"),
        ("order_id=%00", "query/order_id"),
    ],
)
async def test_questions_that_are_refused(client: httpx.AsyncClient, log: EmptyLog, query: str, field: str) -> None:
    response = await client.get(f"/v1/calls?{query}")
    assert response.status_code == 400
    assert response.headers["content-type"] == "application/problem+json"
    assert [error["pointer"] for error in response.json()["errors"]] == [field]
    assert log.asked == []


async def test_a_question_is_bound_to_the_tokens_tenants(client: httpx.AsyncClient, log: EmptyLog) -> None:
    assert (await client.get("/v1/calls")).json() == {"calls": [], "next": None}
    assert (await client.get("/v1/calls?tenant=solo")).status_code == 403
    assert (await client.get("/v1/calls", headers={"Authorization": "Bearer root"})).status_code == 200
    assert [wanted.tenants for wanted in log.asked] == [("demo",), None]


@pytest.mark.parametrize("path", ["/v1/calls", "/v1/calls/stats", "/v1/calls.csv", "/v1/calls.parquet"])
async def test_a_word_that_no_call_can_have_is_refused_with_those_that_it_may(
    client: httpx.AsyncClient, log: EmptyLog, path: str
) -> None:
    response = await client.get(f"{path}?disposition=ok&reason=nix&source=x")
    told = {error["pointer"]: error["detail"] for error in response.json()["errors"]}
    assert (response.status_code, set(told)) == (400, {"query/disposition", "query/reason", "query/source"})
    assert "'answered', 'no_answer'" in told["query/disposition"]
    assert "'unknown_caller'" in told["query/reason"]
    assert "'replica', 'binder'" in told["query/source"]
    assert log.asked == []


async def test_statistics_by_what_they_cannot_be_grouped_by_are_refused(client: httpx.AsyncClient) -> None:
    (error,) = (await client.get("/v1/calls/stats?group_by=colour")).json()["errors"]
    assert error == {
        "pointer": "query/group_by",
        "detail": "Input should be 'hour', 'day', 'number', 'reason' or 'disposition'",
    }


@pytest.mark.parametrize("field", ["party", "caller", "number"])
async def test_a_search_by_a_piece_of_a_phone_is_refused(client: httpx.AsyncClient, log: EmptyLog, field: str) -> None:
    response = await client.post("/v1/calls/search", json={field: "123"})
    (error,) = response.json()["errors"]
    assert (response.status_code, error["pointer"]) == (400, f"#/{field}")
    assert error["detail"] == "not a phone in full: the country's code, then the rest, 5 to 15 digits altogether"
    assert (await client.post("/v1/calls/search", json={field: "+12345", "reason": "pair"})).status_code == 200
    assert len(log.asked) == 1


def test_the_words_are_those_of_the_contracts_and_of_the_ledger() -> None:
    assert set(get_args(words.Disposition)) == set(Disposition)
    assert set(get_args(words.Source)) == set(DecisionSource)
    assert set(get_args(words.Direction)) == set(CallDirection)
    assert set(get_args(words.Recording)) == {"none", *State}


@pytest.mark.parametrize("number", ["+74950000101", "%2B74950000101", "74950000101"])
async def test_a_plus_sign_may_be_unescaped(client: httpx.AsyncClient, log: EmptyLog, number: str) -> None:
    await client.get(f"/v1/calls?number={number}")
    assert log.asked[0].number == "+74950000101"


@pytest.mark.parametrize(
    "path",
    [
        "/v1/calls",
        "/v1/calls.csv",
        "/v1/calls.parquet",
        "/v1/calls/stats",
        "/v1/calls/c-1",
        "/v1/calls/c-1/recordings",
        "/v1/tenants/demo/orders/o-1/calls",
        "/v1/recordings/00000000-0000-0000-0000-000000000000",
        "/v1/recordings/00000000-0000-0000-0000-000000000000/waveform",
        "/v1/recordings/00000000-0000-0000-0000-000000000000/access-log",
    ],
)
async def test_every_route_needs_a_token_with_its_scope(client: httpx.AsyncClient, path: str) -> None:
    assert (await client.get(path, headers={"Authorization": "Bearer nobody"})).status_code == 401
    assert (await client.get(path, headers={"Authorization": "Bearer clerk"})).status_code == 403
    assert (await client.get(path)).status_code in (200, 404)


async def test_no_route_is_missing_above(client: httpx.AsyncClient) -> None:
    document = (await client.get("/openapi.json")).json()
    assert sorted(document["paths"]) == [
        "/v1/access-log",
        "/v1/access-log/search",
        "/v1/calls",
        "/v1/calls.csv",
        "/v1/calls.parquet",
        "/v1/calls/search",
        "/v1/calls/stats",
        "/v1/calls/{call_id}",
        "/v1/calls/{call_id}/recordings",
        "/v1/recordings/{recording_id}",
        "/v1/recordings/{recording_id}/access-log",
        "/v1/recordings/{recording_id}/waveform",
        "/v1/tenants/{tenant}/orders/{order_id}/calls",
    ]
    assert document["components"]["schemas"]["CallOut"]["examples"]
    for path in document["paths"].values():
        for operation in path.values():
            assert operation["security"] == [{"HTTPBearer": []}]


async def test_an_id_that_is_none_is_refused(client: httpx.AsyncClient) -> None:
    assert (await client.get("/v1/recordings/..%2F..%2Fetc")).status_code in (400, 404)
    assert (await client.get("/v1/recordings/abc")).status_code == 400


async def test_without_a_database_the_answer_is_to_come_back(
    client: httpx.AsyncClient, log: EmptyLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def away(wanted: CallFilter, *, in_full: bool) -> Sequence[Listed]:
        raise DatabaseUnavailable("connection refused")

    monkeypatch.setattr(log, "page", away)
    response = await client.get("/v1/calls")
    assert (response.status_code, response.headers["retry-after"]) == (503, "2")
