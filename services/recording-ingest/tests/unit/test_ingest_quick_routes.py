"""The quick routes answer as FastAPI's own do, whatever is asked; and what is usual does not reach FastAPI."""

import hashlib
import json
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from prometheus_client import CollectorRegistry
from starlette.types import Message

from fareline_chassis.auth import Grant, TokenBook
from fareline_chassis.health import Health
from fareline_chassis.postgres.errors import DatabaseUnavailable
from recording_ingest.domain.search import CallFilter, Line
from recording_ingest.inbound.access import Gate
from recording_ingest.inbound.calls_api import CallsApi
from recording_ingest.inbound.cursors import Cursors
from recording_ingest.inbound.exports_api import ExportsApi
from recording_ingest.inbound.http import build_http
from recording_ingest.inbound.quick_routes import QuickRoute
from recording_ingest.inbound.recordings_api import RecordingsApi
from recording_ingest.outbound.storage import ObjectStorage
from recording_ingest.ports.access_log import Access
from recording_ingest.ports.calls import TakesTooLong

LIST, SEARCH, ORDER = "/v1/calls", "/v1/calls/search", "/v1/tenants/demo/orders/o-1/calls"
JSON = {"Content-Type": "application/json"}


class Endless:
    """A call log with more calls than any page holds; a few words make it fail."""

    def __init__(self) -> None:
        self.asked: list[tuple[Any, bool]] = []

    async def page(self, wanted: CallFilter, *, in_full: bool) -> Sequence[Line]:
        self.asked.append((wanted, in_full))
        if wanted.order_id in FAILURES:
            raise FAILURES[wanted.order_id]
        return [{"call_id": f"c-{n}", "started_at": wanted.since} for n in range(wanted.limit + 1)]

    async def call(self, call_id: str) -> None:
        return None

    async def calls_of_order(self, tenant: str, order_id: str, *, in_full: bool) -> Sequence[Line]:
        self.asked.append(((tenant, order_id), in_full))
        return [{"call_id": order_id, "tenant": tenant, "attempt": 1}]

    async def log_access(self, access: Access) -> int:
        self.asked.append((access, False))
        return len(self.asked)


FAILURES: dict[str | None, Exception] = {"away": DatabaseUnavailable("refused"), "slow": TakesTooLong()}


def application(log: Endless, folder: Path) -> FastAPI:
    def grant(name: str, tenants: set[str], scopes: set[str]) -> tuple[bytes, Grant]:
        return hashlib.sha256(name.encode()).digest(), Grant(name, frozenset(tenants), frozenset(scopes))

    gate = Gate(TokenBook([
        grant("analyst", {"demo"}, {"calls:read"}),
        grant("chief", {"demo"}, {"calls:read", "calls:read_numbers"}),
        grant("root", {"*"}, {"*"}),
        grant("clerk", {"demo"}, {"orders:write"}),
    ]))  # fmt: skip

    def now() -> datetime:
        return datetime(2026, 11, 24, 12, tzinfo=UTC)

    calls, exports = CallsApi(log, gate, now, Cursors([b"key"]), log), ExportsApi(log, gate, now, log)  # type: ignore[arg-type]
    recordings = RecordingsApi(log, ObjectStorage(str(folder)), gate, now)  # type: ignore[arg-type]
    return build_http(calls, exports, recordings, Health(), CollectorRegistry())


def quick_ones(app: FastAPI) -> list[QuickRoute]:
    return [route for route in app.router.routes if isinstance(route, QuickRoute)]


def as_declared(log: Endless, folder: Path) -> FastAPI:
    app = application(log, folder)
    for route in quick_ones(app):
        app.router.routes.remove(route)
    return app


async def asked(app: FastAPI, method: str, path: str, **more: Any) -> tuple[int, list[tuple[str, str]], bytes]:
    transport = httpx.ASGITransport(app=app)
    async with httpx.AsyncClient(transport=transport, base_url="http://ingest") as client:
        headers = {"Authorization": "Bearer analyst", "X-Request-Id": "r-1", **more.pop("headers", {})}
        response = await client.request(method, path, headers=headers, **more)
    return response.status_code, sorted(response.headers.items()), response.content


def whole(**fields: Any) -> dict[str, Any]:
    return {"content": json.dumps(fields).encode(), "headers": JSON}


USUAL: list[tuple[str, str, dict[str, Any]]] = [
    ("GET", LIST, {}),
    ("GET", f"{LIST}?tenant=demo&since=2026-11-23T00:00:00Z&until=2026-11-24T00:00:00%2B00:00&limit=3", {}),
    ("GET", f"{LIST}?number=+74950000101&reason=pair&min_talk_s=2.5&updated_since=2026-11-23T00:00:00Z", {}),
    ("GET", LIST, {"headers": {"Authorization": "Bearer chief"}}),
    ("GET", LIST, {"headers": {"Authorization": "Bearer root"}}),
    ("POST", SEARCH, whole(caller="+79031112233", limit=2)),
    ("POST", SEARCH, whole(party="79031112233", since="2026-11-23T00:00:00Z", tenant="demo")),
    ("POST", SEARCH, whole()),
    ("GET", ORDER, {}),
    ("GET", ORDER, {"headers": {"Authorization": "Bearer chief"}}),
    ("GET", "/v1/tenants/demo/orders/%D0%B7%20a+b%3F/calls", {}),
]
REFUSED: list[tuple[str, str, dict[str, Any]]] = [
    ("GET", LIST, {"headers": {"Authorization": "Bearer nobody"}}),
    ("GET", LIST, {"headers": {"Authorization": "Basic x"}}),
    ("GET", LIST, {"headers": {"Authorization": "Bearer clerk"}}),
    ("GET", f"{LIST}?tenant=solo", {}),
    ("GET", f"{LIST}?cursor=tampered", {}),
    ("GET", f"{LIST}?since=2026-01-01T00:00:00Z&until=2026-03-01T00:00:00Z", {}),
    ("GET", f"{LIST}?order_id=away", {}),
    ("GET", f"{LIST}?order_id=slow", {}),
    ("POST", SEARCH, whole(tenant="solo")),
    ("POST", SEARCH, whole(cursor="tampered")),
    ("POST", SEARCH, whole(caller="+79031112233", tenant="solo")),
    ("POST", SEARCH, whole(caller="+79031112233", cursor="tampered")),
    ("POST", SEARCH, {**whole(caller="+79031112233"), "headers": {**JSON, "Authorization": "Bearer clerk"}}),
    ("POST", SEARCH, {**whole(caller="+79031112233"), "headers": {**JSON, "X-Access-Reason": "x" * 300}}),
    ("POST", SEARCH, {**whole(), "headers": {**JSON, "Authorization": "Bearer nobody"}}),
    ("GET", "/v1/tenants/solo/orders/o-1/calls", {}),
]
UNUSUAL: list[tuple[str, str, dict[str, Any]]] = [
    ("GET", f"{LIST}?colour=red&limit=0", {}),
    ("GET", f"{LIST}?limit=1&limit=2", {}),
    ("GET", f"{LIST}?order_id=%00", {}),
    ("GET", f"{LIST}?colour=red", {"headers": {"Authorization": "Bearer nobody"}}),
    ("POST", LIST, whole()),
    ("HEAD", LIST, {}),
    ("OPTIONS", LIST, {}),
    ("GET", f"{LIST}/", {}),
    ("GET", SEARCH, {}),
    ("PUT", SEARCH, whole()),
    ("POST", f"{SEARCH}?colour=red", whole(colour="red")),
    ("POST", SEARCH, whole(colour="red", caller="123")),
    ("POST", SEARCH, {"content": b"{", "headers": JSON}),
    ("POST", SEARCH, {"content": b"", "headers": JSON}),
    ("POST", SEARCH, {"content": b"null", "headers": JSON}),
    ("POST", SEARCH, {"content": b"[]", "headers": JSON}),
    ("POST", SEARCH, {"content": b'{"limit":NaN}', "headers": JSON}),
    ("POST", SEARCH, {"content": b"[" * 60_000, "headers": JSON}),
    ("POST", SEARCH, {"content": b"\xff", "headers": JSON}),
    ("POST", SEARCH, {"content": b"{}"}),
    ("POST", SEARCH, {"content": b"{}", "headers": {"Content-Type": "application/json; charset=utf-8"}}),
    ("POST", SEARCH, {"content": b"{}", "headers": {"Content-Type": "text/plain"}}),
    ("POST", SEARCH, {"data": {"caller": "+79031112233"}}),
    ("GET", f"{ORDER}?colour=red", {}),
    ("GET", f"/v1/tenants/{'x' * 64}/orders/{'x' * 129}/calls", {}),
    ("GET", "/v1/tenants/demo/orders/%00/calls", {}),
    ("DELETE", ORDER, {}),
]


@pytest.mark.parametrize(("method", "path", "more"), [*USUAL, *REFUSED, *UNUSUAL])
async def test_both_ways_give_one_answer(method: str, path: str, more: dict[str, Any], tmp_path: Path) -> None:
    ours, declared = Endless(), Endless()
    answer = await asked(application(ours, tmp_path), method, path, **more)
    assert answer == await asked(as_declared(declared, tmp_path), method, path, **more)
    assert ours.asked == declared.asked


@pytest.mark.parametrize(("method", "path", "more"), [*USUAL, *REFUSED])
async def test_what_is_usual_needs_no_fastapi(method: str, path: str, more: dict[str, Any], tmp_path: Path) -> None:
    app = application(Endless(), tmp_path)
    expected = await asked(app, method, path, **more)
    app.router.routes[:] = quick_ones(app)
    assert await asked(app, method, path, **more) == expected


async def test_a_page_leads_to_the_next_whichever_way_it_came(tmp_path: Path) -> None:
    log = Endless()
    ways = application(log, tmp_path), as_declared(log, tmp_path)
    for first, second in (ways, ways[::-1]):
        _, _, page = await asked(first, "GET", f"{LIST}?limit=2")
        status, _, _ = await asked(second, "GET", f"{LIST}?limit=2&cursor={json.loads(page)['next']}")
        assert status == 200


async def test_a_body_that_comes_in_pieces_is_heard_by_both(tmp_path: Path) -> None:
    async def pieces() -> Any:
        for piece in (b'{"limit"', b": 2, ", b'"colour": 1}'):
            yield piece

    status, _, body = await asked(application(Endless(), tmp_path), "POST", SEARCH, content=pieces(), headers=JSON)
    assert (status, [error["pointer"] for error in json.loads(body)["errors"]]) == (400, ["#/colour"])


async def test_who_hangs_up_before_the_question_is_whole_asks_nothing(tmp_path: Path) -> None:
    log, sent = Endless(), list[Message]()
    heard: Iterator[Message] = iter(
        [{"type": "http.request", "body": b"{", "more_body": True}, {"type": "http.disconnect"}]
    )
    headers = [(b"authorization", b"Bearer analyst"), (b"content-type", b"application/json")]
    scope = {"type": "http", "method": "POST", "path": SEARCH, "query_string": b"", "root_path": "", "headers": headers}

    async def receive() -> Message:
        return next(heard)

    async def send(message: Message) -> None:
        sent.append(message)

    await application(log, tmp_path)(scope, receive, send)
    assert (log.asked, sent[0]["status"]) == ([], 400)
