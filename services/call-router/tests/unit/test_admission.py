"""Who gives way when there is too much to do, and in which order."""

from datetime import timedelta

import httpx
import pytest
from pbx_messages import generic_message
from router_server import ask, notify, settings
from router_world import D1

from call_router.app import Router
from call_router.inbound.admission import Admission, Bounds


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def admission(clock):
    return Admission(Bounds(most=16, a_second=10, refused_a_minute=3), clock)


def test_samples_go_first_then_the_api_then_asking_then_deciding_and_calls_last(admission):
    def state():
        return (
            admission.may_sample,
            admission.may_serve_api,
            admission.may_ask,
            admission.may_decide("a"),
            not admission.flooded,
        )

    seen = []
    for admission.under_way in (0, 2, 4, 8, 17, 64):
        seen.append(state())
    assert seen == [
        (True, True, True, True, True),
        (False, True, True, True, True),
        (False, False, True, True, True),
        (False, False, False, True, True),
        (False, False, False, False, True),
        (False, False, False, False, False),
    ]


def test_one_account_gone_wild_leaves_the_others_their_share(admission, clock):
    decided = [admission.may_decide("wild") for _ in range(30)]
    assert decided == [True] * 20 + [False] * 10
    assert admission.may_decide("calm")
    clock.now += 0.5
    assert [admission.may_decide("wild") for _ in range(6)] == [True] * 5 + [False]


def test_an_address_that_only_sends_wrong_signatures_is_shut_out_for_a_while(admission, clock):
    for _ in range(3):
        assert not admission.shut_out("192.0.2.1")
        admission.refused("192.0.2.1")
    assert admission.shut_out("192.0.2.1")
    assert not admission.shut_out("192.0.2.2")
    clock.now += 20
    assert not admission.shut_out("192.0.2.1")


def test_a_pbx_behind_the_same_address_is_never_shut_out(admission, clock):
    admission.trusted("192.0.2.1")
    for _ in range(10):
        admission.refused("192.0.2.1")
    assert not admission.shut_out("192.0.2.1")
    clock.now += 3600
    for _ in range(10):
        admission.refused("192.0.2.1")
    assert admission.shut_out("192.0.2.1"), "a right signature of long ago"


@pytest.fixture
async def router(tmp_path, monkeypatch, clock):
    monkeypatch.setattr("call_router.app._LAST_DRAIN", timedelta(0))
    router = Router(settings(tmp_path, ROUTER_CALLS_AT_ONCE="16", ROUTER_CALLS_A_SECOND="5"))
    monkeypatch.setattr(router._admission, "_monotonic", clock)  # a slow machine would be let ask more
    yield router
    await router.stop()


@pytest.fixture
async def http(router):
    transport = httpx.ASGITransport(router.asgi)
    async with httpx.AsyncClient(transport=transport, base_url="http://router") as http:
        yield http


async def test_calls_are_answered_when_the_api_is_not(router, http):
    router._admission.under_way = 10
    refused = await http.post("/v1/route/explain", json={})
    assert (refused.status_code, refused.headers["retry-after"]) == (503, "1")
    assert (await ask(http, generic_message("call.started"))).status_code == 200
    assert (await http.get("/health/live")).status_code == 200
    router._admission.under_way = 0


async def test_too_many_calls_get_the_default_route_and_the_same_again(router, http):
    router._admission.under_way = 20
    first = await ask(http, generic_message("call.started"))
    router._admission.under_way = 0
    assert (first.status_code, first.json()["reason"]) == (200, "overloaded")
    assert first.json()["actions"] == [{"do": "fallback", "target": "operator", "display": ""}]
    assert (await ask(http, generic_message("call.started"))).json() == first.json()
    assert (await notify(http, "NOTIFY_START")).status_code == 200


async def test_a_flood_is_left_to_the_pbx(router, http):
    router._admission.under_way = 64
    assert (await ask(http, generic_message("call.started"))).status_code == 503
    router._admission.under_way = 0
    assert 'fareline_router_shed_total{what="call"} 1.0' in (await http.get("/metrics")).text


async def test_one_account_may_ask_so_much_and_no_more(router, http):
    reasons = [
        (await ask(http, generic_message("call.started", call_id=f"c-{number}"))).json()["reason"]
        for number in range(15)
    ]
    assert reasons == ["unknown_number"] * 10 + ["overloaded"] * 5
    assert (await notify(http, "NOTIFY_START")).status_code == 200


async def test_wrong_signatures_are_answered_401_and_at_last_429(router, http):
    body = generic_message("call.started", **{"from": D1})
    statuses = [
        (await http.post("/pbx/generic/demo-generic", content=body, headers={"webhook-id": "x"})).status_code
        for _ in range(70)
    ]
    assert statuses[0] == 401
    assert statuses[-1] == 429
