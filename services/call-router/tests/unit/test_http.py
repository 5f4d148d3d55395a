import json
from datetime import UTC, datetime, timedelta

import httpx
import pytest
import structlog
from pbx_messages import generic_message
from router_server import DEMO, TOKEN, ask, notify, settings
from router_world import C1, D1, MAIN, POOL, binding
from structlog.testing import capture_logs

from call_router.app import Router
from call_router.domain.inventory import NumberRole, ProxyNumber, Tenant
from call_router.pbx.loading import NoAdapter
from fareline_contracts import pbx_generic as contract

AUTHORIZED = {"authorization": f"Bearer {TOKEN}", "content-type": "application/json"}
SMALL = json.dumps({"account": "demo-generic", "number": POOL, "caller": D1}).encode()


@pytest.fixture
async def router(tmp_path, monkeypatch):
    monkeypatch.setattr("call_router.app._LAST_DRAIN", timedelta(0))
    structlog.reset_defaults()
    router = Router(settings(tmp_path))
    store = router._store
    store.put_tenant(Tenant("demo", "RU", revision=1))
    store.put_number(ProxyNumber(POOL, "demo", NumberRole.POOL, revision=1))
    store.put_number(ProxyNumber(MAIN, "demo", NumberRole.MAIN, revision=1))
    store.put_binding(binding(driver_window=None))
    yield router
    await router.stop()


@pytest.fixture
async def http(router):
    async with httpx.AsyncClient(transport=httpx.ASGITransport(router.asgi), base_url="http://router") as client:
        yield client


@pytest.fixture(autouse=True)
def today(monkeypatch):
    """Orders of the tests' world are open whatever the day."""
    import router_world

    monkeypatch.setattr(router_world, "T0", datetime.now(UTC) - timedelta(minutes=1))


async def test_generic_call_is_dialled(http):
    response = await ask(http, generic_message("call.started"))
    answer = contract.Answer.model_validate_json(response.content)
    assert (response.status_code, answer.reason, answer.actions[0].targets) == (200, "pair", (C1,))


async def test_zadarma_call_is_redirected(http):
    response = await notify(http, "NOTIFY_START")
    assert (response.status_code, response.headers["content-type"]) == (200, "application/json")
    assert response.json() == {"redirect": "202", "return_timeout": 30, "rewrite_forward_number": C1[1:]}


async def test_reports_are_accepted(http):
    assert (await ask(http, generic_message("call.progress", state="bridged"))).json() == {"v": 1, "ok": True}
    assert (await notify(http, "NOTIFY_END", disposition="answered")).json() == {}
    assert (await notify(http, "NOTIFY_TELEPORTED")).status_code == 200


async def test_refused_signature_leaves_a_metric_and_a_line_without_the_phone(http, router):
    with capture_logs() as logs:
        response = await ask(http, generic_message("call.started"), **{"webhook-signature": "v1,AAAA"})
        missing = await http.post("/pbx/zadarma/demo-zadarma", data={"event": "NOTIFY_START", "caller_id": D1})
    assert (response.status_code, missing.status_code) == (401, 401)
    assert [(line["event"], line["why"]) for line in logs] == [
        ("signature refused", "wrong"),
        ("signature refused", "missing"),
    ]
    assert "903" not in json.dumps(logs)
    assert router._spool.writer.waiting_bytes == 0
    metrics = (await http.get("/metrics")).text
    assert 'fareline_router_signatures_refused_total{adapter="generic",why="wrong"} 1.0' in metrics


@pytest.mark.parametrize(
    "path",
    ["/pbx/generic/nobody", "/pbx/zadarma/demo-generic", "/pbx/twilio/demo-twilio/voice", "/pbx/", "/pbx/generic"],
)
async def test_unknown_accounts_get_no_hint(http, path):
    response = await http.post(path, content=b"{}")
    assert (response.status_code, response.text) == (404, "Not Found")


@pytest.mark.parametrize(
    ("body", "status"), [(b"", 400), (b"\xff", 400), (b"{}", 400), (b"x" * 65_536, 400), (b"x" * 65_537, 413)]
)
async def test_bodies_that_are_no_messages(http, body, status):
    assert (await ask(http, body)).status_code == status


async def test_other_methods_are_not_allowed(http):
    assert (await http.put("/pbx/generic/demo-generic")).status_code == 405


async def test_echo_of_zadarma(http):
    response = await http.get("/pbx/zadarma/demo-zadarma", params={"zd_echo": "abc"})
    assert (response.status_code, response.text, response.headers["content-type"]) == (
        200,
        "abc",
        "text/plain; charset=utf-8",
    )


async def test_answers_are_logged_once_and_masked(http):
    with capture_logs() as logs:
        for _ in range(2):
            await ask(http, generic_message("call.started"))
    (line,) = (line for line in logs if line["event"] == "answered")
    assert (line["reason"], line["caller"], line["order_id"]) == ("pair", "+7***2233", "o-1")
    assert not any(phone[3:] in json.dumps(logs) for phone in (D1, C1))


async def test_metrics_hold_no_phone(http):
    await ask(http, generic_message("call.started"))
    text = (await http.get("/metrics")).text
    assert 'fareline_router_answers_total{adapter="generic",reason="pair",source="replica"} 1.0' in text
    assert "fareline_router_bindings 1.0" in text
    assert "fareline_router_spool_waiting_bytes" in text
    assert "fareline_router_cut_off 1.0" in text
    assert not any(phone[1:] in text for phone in (D1, C1, POOL))


async def test_full_spool_puts_reports_off_and_answers_questions(http, router, monkeypatch):
    monkeypatch.setattr(router._spool.writer, "_limit", 0)
    assert (await ask(http, generic_message("call.started"))).json()["reason"] == "pair"
    assert (await ask(http, generic_message("call.progress", state="bridged"))).status_code == 503


async def test_explain(http, router):
    response = await http.post("/v1/route/explain", content=SMALL, headers=AUTHORIZED)
    answer = response.json()
    decision = answer["decision"]
    assert (decision["reason"], decision["order_id"], decision["source"]) == ("pair", "o-1", "replica")
    assert decision["actions"][0]["targets"] == ["+7***4567"]
    assert [rule["rule"] for rule in answer["rules"]] == ["1", "2", "3"]
    assert answer["candidates"][0]["role"] == "driver"
    assert not any(phone in response.text for phone in (D1, C1, POOL))
    assert router._spool.writer.waiting_bytes == 0
    assert len(router._store.recent) == 0


async def test_explain_of_a_typed_code(http):
    body = {"account": "demo-zadarma", "number": POOL, "caller": "", "digits": "118204"}
    answer = (await http.post("/v1/route/explain", json=body, headers=AUTHORIZED)).json()
    assert answer["decision"]["reason"] == "extension_unknown_caller"


@pytest.mark.parametrize(
    ("body", "headers", "status"),
    [
        (SMALL, {}, 401),
        (SMALL, {"authorization": "Bearer nonsense"}, 401),
        (b"{}", AUTHORIZED, 400),
        (b'{"account":"demo-generic","number":"1","colour":"red"}', AUTHORIZED, 400),
        (b'{"account":"nobody","number":"1"}', AUTHORIZED, 404),
    ],
)
async def test_explain_refuses_with_a_problem(http, body, headers, status):
    response = await http.post(
        "/v1/route/explain", content=body, headers=headers | {"content-type": "application/json"}
    )
    assert (response.status_code, response.headers["content-type"]) == (status, "application/problem+json")


async def test_demo_secrets_need_the_demo(tmp_path):
    with pytest.raises(Exception, match="demo"):
        Router(settings(tmp_path, FARELINE_DEMO="0"))


async def test_an_account_without_an_adapter_is_named(tmp_path):
    accounts = json.loads((DEMO / "accounts.json").read_text())
    accounts["accounts"][0] |= {"kind": "freeswitch", "name": "fs"}
    path = tmp_path / "accounts.json"
    path.write_text(json.dumps(accounts))
    with pytest.raises(NoAdapter, match=r"fs: .*freeswitch"):
        Router(settings(tmp_path, FARELINE_ACCOUNTS_FILE=str(path)))
