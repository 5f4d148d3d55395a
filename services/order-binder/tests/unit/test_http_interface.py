"""The HTTP interface on stand-ins: shapes, scopes, and errors that name the field."""

import json
from datetime import timedelta

import asyncpg
import pytest
from binder_desk import Desk
from binder_fakes import NOW
from binder_process import order_json
from binder_support import client, driver

from fareline_chassis.kafka.producer import DeliveryRefused, DeliveryUnknown
from fareline_contracts.lookup import LookupAnswer
from fareline_contracts.numbers import NumberRecord
from fareline_contracts.tenants import TenantRecord
from order_binder.domain.orders import Allocation, Order, OrderKey, OrderStatus, Terms, Unroutable
from order_binder.domain.policy import CallTerms
from order_binder.domain.values import replace
from order_binder.domain.windows import Directions, Window
from order_binder.inbound.http_examples import ANSWERS
from order_binder.inbound.http_models import AcceptedSnapshots, BindingAnswer, Numbers
from order_binder.ports.bindings import LostRace
from order_binder.ports.registry import TenantEntry

ORDERS = "/v1/tenants/demo/orders"
KEY = OrderKey("demo", "o-1")
MODELS = {
    "/orders/{order_id}": AcceptedSnapshots,
    "/orders": AcceptedSnapshots,
    "/binding": BindingAnswer,
    "/lookup": LookupAnswer,
    "/{e164}": NumberRecord,
    "/numbers": Numbers,
    "/{tenant}": TenantRecord,
}


@pytest.fixture
async def desk():
    found = Desk()
    async with found.http:
        yield found


def bound_order(version=3) -> Order:
    window = Window(NOW - timedelta(minutes=1), NOW + timedelta(hours=48))
    return Order(
        key=KEY,
        version=version,
        status=OrderStatus.ACCEPTED,
        status_changed_at=NOW,
        caused_at=NOW,
        revision=1764000000123456,
        terms=Terms(driver(), client(), Directions(window, window), CallTerms()),
        allocation=Allocation("+74950000101", "482913", "118204", driver().key, client().key),
        updated_at=NOW,
    )


async def test_the_door_takes_one_snapshot(desk):
    answer = await desk.http.put(f"{ORDERS}/o-1", content=order_json("o-1", 1), headers={"traceparent": "00-x"})
    assert (answer.status_code, answer.json()) == (202, {"accepted": 1})
    assert (desk.sink.submitted[0].key, desk.sink.submitted[0].traceparent) == (KEY, "00-x")


async def test_the_door_takes_all_of_a_list_or_nothing(desk):
    good, bad = json.loads(order_json("o-1", 1)), json.loads(order_json("o-2", -1))
    refused = await desk.http.post(ORDERS, json=[good, bad])
    assert (refused.status_code, refused.json()["errors"][0]["pointer"]) == (400, "#/1/version")
    assert desk.sink.submitted == []
    assert (await desk.http.post(ORDERS, json=[good, {**good, "version": 2}])).json() == {"accepted": 2}
    assert (await desk.http.post(ORDERS, json=[good] * 501)).status_code == 400
    assert (await desk.http.post(ORDERS, json=[])).status_code == 400


@pytest.mark.parametrize(
    ("content", "pointer"),
    [
        (order_json("o-2", 1), "#/order_id"),
        (order_json("o-1", 1, tenant="solo"), "#/tenant"),
        (order_json("o-1", 1, status="lost"), "#/status"),
        (order_json("o-1", 1, client={"phones": [{"+79031112233": 1}]}), "#/client/phones/0"),
        (b"{", "#"),
        (b"[" * 60_000, "#"),
        (b'{"city": "\xff"}', "#"),
        (b'{"version": 1' + b"0" * 5_000 + b"}", "#"),
        (b"\x1f\x8b packed", "#"),
    ],
)
async def test_the_door_names_the_field_and_never_repeats_its_value(desk, content, pointer):
    answer = await desk.http.put(f"{ORDERS}/o-1", content=content)
    assert answer.status_code == 400
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["errors"][0]["pointer"] == pointer
    assert "9031112233" not in answer.text


async def test_a_body_too_large_is_not_even_parsed(desk):
    announced = await desk.http.put(f"{ORDERS}/o-1", content=b"x" * 70_000)
    assert announced.status_code == 413

    async def pieces():
        for _ in range(80):
            yield b" " * 1000

    assert (await desk.http.put(f"{ORDERS}/o-1", content=pieces())).status_code == 413


async def test_no_answer_of_kafka_is_503_and_the_tenant_must_exist(desk):
    desk.sink.error = DeliveryUnknown("1 records: TimeoutError")
    answer = await desk.http.put(f"{ORDERS}/o-1", content=order_json("o-1", 1))
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")
    desk.registry.tenants.clear()
    assert (await desk.http.put(f"{ORDERS}/o-1", content=order_json("o-1", 1))).status_code == 404


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [("GET", f"{ORDERS}/o-1/binding", 200), ("PUT", f"{ORDERS}/o-1", 403), ("GET", "/v1/tenants/demo", 403)],
)
async def test_tokens_have_scopes(desk, method, path, status):
    content = order_json("o-1", 1) if method == "PUT" else None
    for token, expected in (("reader", status), ("other", 403), ("nobody", 401)):
        answer = await desk.http.request(method, path, content=content, headers={"Authorization": f"Bearer {token}"})
        assert answer.status_code == expected, token


async def test_of_a_stranger_nothing_is_read(desk):
    async def pieces():
        pytest.fail("the body was read")
        yield b"{"

    for token in ({}, {"Authorization": "Bearer nobody"}, {"Authorization": "Basic all"}):
        desk.http.headers.pop("Authorization", None)
        for path in (ORDERS, f"{ORDERS}?surprise=1", "/v1/tenants/DEMO/orders"):
            answer = await desk.http.post(path, content=pieces(), headers=token)
            assert (answer.status_code, answer.headers["www-authenticate"]) == (401, 'Bearer realm="fareline"')
            assert answer.headers["content-type"] == "application/problem+json"
    for open_to_all in ("/openapi.json", "/health/live", "/metrics"):
        assert (await desk.http.get(open_to_all)).status_code == 200


async def test_a_binding_as_the_apps_see_it(desk):
    desk.orders.orders[KEY] = bound_order()
    answer = await desk.http.get(f"{ORDERS}/o-1/binding")
    shown = answer.json()
    assert answer.headers["etag"] == '"1764000000123456"'
    assert (shown["state"], shown["order_version"], shown["reached"]) == ("active", 3, True)
    assert shown["codes"] == {"driver": "482913", "client": "118204"}
    assert shown["dial"] == {"driver": "tel:+74950000101", "client": "tel:+74950000101"}
    assert "9031112233" not in answer.text
    assert "9261234567" not in answer.text


async def test_unknown_and_unroutable_orders_say_so(desk):
    nothing = (await desk.http.get(f"{ORDERS}/o-1/binding")).json()
    assert (nothing["state"], nothing["order_version"], nothing["number"]) == ("none", None, None)
    desk.orders.orders[KEY] = replace(bound_order(), unroutable=Unroutable.SAME_PHONE)
    shown = (await desk.http.get(f"{ORDERS}/o-1/binding")).json()
    assert (shown["state"], shown["reason"], shown["number"]) == ("unroutable", "same_phone", None)


async def test_the_long_poll_returns_when_the_version_is_there_or_the_wait_is_over(desk):
    desk.orders.orders[KEY] = bound_order(2)
    late = (await desk.http.get(f"{ORDERS}/o-1/binding", params={"min_version": 3, "wait": "2s"})).json()
    assert (late["reached"], late["order_version"], desk.waiting.at) == (False, 2, pytest.approx(2))
    desk.waiting.then = [(3, lambda: desk.orders.orders.update({KEY: bound_order(3)}))]
    there = (await desk.http.get(f"{ORDERS}/o-1/binding", params={"min_version": 3, "wait": "30s"})).json()
    assert there["reached"]
    assert desk.waiting.at < 4
    wrong = await desk.http.get(f"{ORDERS}/o-1/binding", params={"wait": "soon"})
    assert wrong.json()["errors"][0]["pointer"] == "query/wait"


async def test_lookup_returns_records_as_published(desk):
    desk.orders.orders[KEY] = bound_order()
    await desk.http.put("/v1/tenants/demo/numbers/+74950000101", json={"role": "pool"})
    question = {"number": "+74950000101", "phone": "+79031112233"}
    found = (await desk.http.post("/v1/tenants/demo/bindings/lookup", json=question)).json()
    assert found["bindings"][0]["parties"]["client"]["phones"] == ["+79261234567"]
    assert (found["number"]["role"], found["tenant"]["region"]) == ("pool", "RU")
    assert found["input_as_of"] == "2000-01-01T00:00:00Z"


async def test_numbers_and_tenants_are_put_whole(desk):
    tenant = await desk.http.put(
        "/v1/tenants/demo", json={"tenant": "x", "revision": 9, "region": "DE", "policy": {"code_digits": 7}}
    )
    assert (tenant.json()["tenant"], tenant.json()["region"], tenant.json()["policy"]["code_digits"]) == (
        "demo",
        "DE",
        7,
    )
    path = "/v1/tenants/demo/numbers/+74950000101"
    put = await desk.http.put(path, json={"role": "pool", "tenant": "x", "e164": "y", "revision": 1})
    assert (put.json()["tenant"], put.json()["state"], put.json()["asks_code"]) == ("demo", "active", True)
    assert (await desk.http.get(path)).json() == put.json()
    assert (await desk.http.get("/v1/tenants/demo/numbers")).json() == {"numbers": [put.json()]}
    assert (await desk.http.delete(path)).status_code == 204
    assert (await desk.http.delete(path)).status_code == 404
    assert (await desk.http.put(path, json={"role": "other"})).json()["errors"][0]["pointer"] == "#/role"
    desk.registry.phones.add("+79031112233")
    conflict = await desk.http.put("/v1/tenants/demo/numbers/+79031112233", json={"role": "pool"})
    assert (conflict.status_code, conflict.json()["type"]) == (409, "urn:fareline:problem:number-is-a-phone")


async def test_openapi_has_an_example_for_every_body_and_every_answer(desk):
    document = (await desk.http.get("/openapi.json")).json()
    assert "HTTPValidationError" not in document["components"]["schemas"]
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            body = operation.get("requestBody")
            if body:
                assert exemplified(document, body["content"]["application/json"]), (path, method)
            assert operation["security"] == [{"token": []}]
            assert "422" not in operation["responses"]
            for status, answer in operation["responses"].items():
                for content in answer.get("content", {}).values():
                    assert exemplified(document, content), (path, method, status)


def exemplified(document, content):
    schema = document["components"]["schemas"].get(content["schema"].get("$ref", "").rsplit("/", 1)[-1], {})
    return (
        content.get("example") or content.get("examples") or content["schema"].get("examples") or schema.get("examples")
    )


def test_every_example_of_an_answer_is_one():
    for operation, answers in ANSWERS.items():
        model = next(model for end, model in MODELS.items() if operation.endswith(end))
        for example in answers.values():
            model.model_validate(example)


@pytest.mark.parametrize(
    ("if_none_match", "status"),
    [
        ('"1764000000123456"', 304),
        ('W/"1764000000123456"', 304),
        ('"1", "1764000000123456"', 304),
        ('"1"', 200),
        ("1764000000123456", 200),
        ("nonsense", 200),
    ],
)
async def test_an_answer_that_is_known_already_is_not_sent_again(desk, if_none_match, status):
    desk.orders.orders[KEY] = bound_order()
    answer = await desk.http.get(f"{ORDERS}/o-1/binding", headers={"If-None-Match": if_none_match})
    assert answer.status_code == status
    assert answer.headers["etag"] == '"1764000000123456"'


async def test_a_long_poll_waits_for_a_revision_that_is_not_known_yet(desk):
    desk.orders.orders[KEY] = bound_order()
    known = {"If-None-Match": '"1764000000123456"'}
    nothing = await desk.http.get(f"{ORDERS}/o-1/binding?wait=3s", headers=known)
    assert (nothing.status_code, round(desk.waiting.at)) == (304, 3)
    news = replace(bound_order(4), revision=1764000000999999)
    desk.waiting.then.append((4.0, lambda: desk.orders.orders.update({KEY: news})))
    answer = await desk.http.get(f"{ORDERS}/o-1/binding?wait=30s", headers=known)
    assert (answer.status_code, answer.headers["etag"]) == (200, '"1764000000999999"')
    assert desk.waiting.at < 5


@pytest.mark.parametrize(
    ("document", "pointer"),
    [
        ({"region": "ZZ"}, "#/region"),
        ({"region": "ru"}, "#/region"),
        ({"region": "RU", "policy": {"allowed_prefixes": ["+7", "7"]}}, "#/policy/allowed_prefixes/1"),
        ({"region": "RU", "policy": {"code_digits": 5}}, "#/policy/code_digits"),
        ({"region": "RU", "policy": {"windows": {"cap": -1}}}, "#/policy/windows/cap"),
        (
            {"region": "RU", "policy": {"limits": {"dials_active": {"count": "many"}}}},
            "#/policy/limits/dials_active/count",
        ),
        ({"region": "RU", "policy": {"order_rank": ["lost"]}}, "#/policy/order_rank/0"),
        ({"region": "RU", "staff": ["201\u0000"]}, "#/staff/0"),
    ],
)
async def test_a_tenant_that_could_never_work_is_refused_by_its_field(desk, document, pointer):
    answer = await desk.http.put("/v1/tenants/demo", json=document)
    assert answer.status_code == 400
    assert pointer in [error["pointer"] for error in answer.json()["errors"]]


async def test_phones_of_staff_are_masked_unless_the_scope_allows(desk):
    desk.registry.tenants["demo"] = TenantEntry("demo", "RU", {}, ("+74957770001", "201"), 1)
    seen = {}
    for token in ("all", "tenants"):
        answer = await desk.http.get("/v1/tenants/demo", headers={"Authorization": f"Bearer {token}"})
        seen[token] = answer.json()["staff"]
    assert seen == {"all": ["+74957770001", "201"], "tenants": ["+7***0001", "201"]}


async def test_a_lookup_of_nothing_is_refused(desk):
    assert (await desk.http.post("/v1/tenants/demo/bindings/lookup", json={})).status_code == 400


async def test_a_number_in_use_is_withdrawn_as_asked(desk):
    base = "/v1/tenants/demo/numbers"
    for e164, role in (("+74950000101", "pool"), ("+74950000102", "pool")):
        await desk.http.put(f"{base}/{e164}", json={"role": role})
        desk.registry.used.add(e164)
    refused = await desk.http.delete(f"{base}/+74950000101")
    assert (refused.status_code, refused.json()["type"]) == (409, "urn:fareline:problem:number-in-use")
    stuck = await desk.http.delete(f"{base}/+74950000101?bindings=move")
    assert (stuck.status_code, stuck.json()["type"]) == (409, "urn:fareline:problem:no-other-number")
    draining = await desk.http.delete(f"{base}/+74950000101?bindings=drain")
    assert (draining.status_code, draining.json()["state"]) == (202, "draining")
    await desk.http.put(f"{base}/+74950000001", json={"role": "main"})
    assert (await desk.http.delete(f"{base}/+74950000102?bindings=move")).status_code == 204
    for how in ("", "?bindings=move", "?bindings=drain"):
        assert (await desk.http.delete(f"{base}/+74950000199{how}")).status_code == 404
    wrong = await desk.http.delete(f"{base}/+74950000101?bindings=burn")
    assert (wrong.status_code, wrong.json()["errors"][0]["pointer"]) == (400, "query/bindings")


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (asyncpg.ConnectionDoesNotExistError("gone"), 503),
        (asyncpg.DeadlockDetectedError("again"), 503),
        (ConnectionResetError(), 503),
        (TimeoutError(), 503),
        (LostRace(), 503),
        (DeliveryRefused([(0, "TopicAuthorizationFailedError")]), 503),
        (asyncpg.UndefinedTableError("ours"), 500),
    ],
)
async def test_a_connection_lost_in_the_middle_is_no_mistake_of_ours(desk, error, status):
    desk.sink.error = error
    answer = await desk.http.put(f"{ORDERS}/o-1", content=order_json("o-1", 1))
    assert (answer.status_code, answer.headers.get("retry-after")) == (status, "1" if status == 503 else None)
