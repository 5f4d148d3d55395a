"""Route by route: who gets what. The rows are compared with OpenAPI, so that a new route cannot forget to say it."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import ingest_stack
import pytest
from ingest_source import audio, file_source
from ingest_stack import Running, ServiceBox, eventually, migrated, out_record, send
from ingest_story import answered_call

PERIOD = "since=2026-11-24T00:00:00Z&until=2026-11-25T00:00:00Z"
SCOPES = {
    "calls:read", "calls:read_numbers", "calls:erase", "calls:hold", "recordings:read", "recordings:write",
    "recordings:audit",
}  # fmt: skip


@dataclass(frozen=True)
class Row:
    """A request to a route, the scope it needs, and what it gets for its own tenant, from another one, for all."""

    path: str
    scope: str
    own: int = 200
    elsewhere: int = 404
    everywhere: int = 200
    body: dict[str, Any] = field(default_factory=dict)


CALLS, LISTEN = "calls:read", "recordings:read"
ROWS = {
    "GET /v1/calls": Row(f"/v1/calls?{PERIOD}", CALLS, elsewhere=200),
    "GET /v1/calls.csv": Row(f"/v1/calls.csv?{PERIOD}", CALLS, elsewhere=200),
    "GET /v1/calls.parquet": Row(f"/v1/calls.parquet?{PERIOD}", CALLS, elsewhere=200),
    "GET /v1/calls/stats": Row(f"/v1/calls/stats?{PERIOD}", CALLS, elsewhere=200),
    "POST /v1/calls/search": Row("/v1/calls/search", CALLS, elsewhere=200, body={"json": {}}),
    "GET /v1/calls/{call_id}": Row("/v1/calls/c-1", CALLS),
    "GET /v1/calls/{call_id}/recordings": Row("/v1/calls/c-1/recordings", CALLS),
    "GET /v1/tenants/{tenant}/orders/{order_id}/calls": Row("/v1/tenants/demo/orders/o-1001/calls", CALLS, elsewhere=403),
    "GET /v1/recordings/{recording_id}": Row("/v1/recordings/{recording}", LISTEN),
    "GET /v1/recordings/{recording_id}/waveform": Row("/v1/recordings/{recording}/waveform", LISTEN),
    "GET /v1/recordings/{recording_id}/access-log": Row("/v1/recordings/{recording}/access-log", "recordings:audit"),
    "GET /v1/access-log": Row("/v1/access-log", "recordings:audit", elsewhere=200),
    "POST /v1/access-log/search": Row("/v1/access-log/search", "recordings:audit", elsewhere=200, body={"json": {}}),
    "PUT /v1/calls/{call_id}/legal-hold": Row(
        "/v1/calls/c-1/legal-hold", "calls:hold", body={"json": {"reason": "case 17"}}
    ),
    "GET /v1/calls/{call_id}/legal-hold": Row("/v1/calls/c-1/legal-hold", "calls:hold"),
    "GET /v1/legal-holds": Row("/v1/legal-holds", "calls:hold", elsewhere=200),
    # It was let go by the first who asked.
    "DELETE /v1/calls/{call_id}/legal-hold": Row(
        "/v1/calls/c-1/legal-hold", "calls:hold", own=204, everywhere=404
    ),
    "POST /v1/erasures": Row(
        "/v1/erasures", "calls:erase", own=201, elsewhere=403, everywhere=201,
        body={"json": {"tenant": "demo", "phones": ["+79030000000"]}},
    ),
    "GET /v1/erasures/{erasure_id}": Row("/v1/erasures/00000000-0000-4000-8000-000000000000", "calls:erase", own=404, everywhere=404),
    # The account serves two tenants, and a push needs a token for both; 415: admitted, but nothing was sent.
    "PUT /v1/recordings/{account}/{pbx_call_id}": Row(
        "/v1/recordings/demo-generic/p-1", "recordings:write", own=403, elsewhere=403, everywhere=415
    ),
}  # fmt: skip


@pytest.fixture
async def service(
    database_url: str, kafka_bootstrap: str, registry_topics: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Running]:
    tokens: dict[str, tuple[list[str], list[str]]] = {
        "analyst": (["demo"], ["*"]),
        "elsewhere": (["solo"], ["*"]),
        "everywhere": (["*"], ["*"]),
    }
    tokens |= {f"only {scope}": (["demo"], [scope]) for scope in SCOPES}
    tokens |= {f"all but {scope}": (["demo"], sorted(SCOPES - {scope})) for scope in SCOPES}
    monkeypatch.setattr(ingest_stack, "TOKENS", tokens)
    await migrated(database_url)
    box = ServiceBox(database_url, kafka_bootstrap, registry_topics, tmp_path)
    async with file_source() as source, box.running() as running:
        url = source.file("/r.wav", audio())
        await send(box.bootstrap, box.prefix, [out_record(told) for told in answered_call(url=url)])
        yield running


async def stored(service: Running) -> str:
    async def check() -> str | None:
        found = (await service.get("/v1/calls/c-1/recordings")).json().get("recordings", [])
        return found[0]["recording_id"] if found and found[0]["state"] == "stored" else None

    return str(await eventually(check))


async def test_route_by_route(service: Running) -> None:
    document = (await service.client.get("/openapi.json")).json()
    routes = {f"{method.upper()} {path}" for path, methods in document["paths"].items() for method in methods}
    assert routes == set(ROWS), "every route needs a row above, and every row a route"
    recording = await stored(service)
    wrong = []
    for route, row in ROWS.items():
        method, path = route.split()[0], row.path.replace("{recording}", recording)

        async def status(token: str, method: str = method, path: str = path, row: Row = row) -> int:
            headers = {"Authorization": f"Bearer {token}"} if token else {}
            return (await service.client.request(method, path, headers=headers, **row.body)).status_code

        expected = {
            "": 401,
            "nobody": 401,
            f"all but {row.scope}": 403,
            f"only {row.scope}": row.own,
            "elsewhere": row.elsewhere,
            "everywhere": row.everywhere,
        }
        got = {token: await status(token) for token in expected}
        wrong += [(route, token, got[token], expected[token]) for token in expected if got[token] != expected[token]]
    assert wrong == []
    await lists_are_empty_elsewhere(service)


async def lists_are_empty_elsewhere(service: Running) -> None:
    for path in (f"/v1/calls?{PERIOD}", f"/v1/calls.csv?{PERIOD}", f"/v1/calls/stats?{PERIOD}"):
        assert "c-1" in (await service.get(path)).text or "2026-11-24" in (await service.get(path)).text
        found = (await service.get(path, token="elsewhere")).text
        assert "c-1" not in found
        assert '"key"' not in found
        assert (await service.get(f"{path}&tenant=demo", token="elsewhere")).status_code == 403
