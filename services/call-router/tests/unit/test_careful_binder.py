import asyncio
from datetime import timedelta

import httpx
import pytest
from router_world import D1, POOL, binding

from call_router.outbound.binder_client import BinderClient, BinderUnavailable
from call_router.outbound.breaker import Breaker
from call_router.outbound.careful_binder import Care, CarefulBinder
from call_router.ports import Found, Wanted

NOBODY = Found(())
SOMEBODY = Found((binding(),))


class Asker:
    def __init__(self):
        self.answer = NOBODY
        self.asked = 0
        self.gate = asyncio.Event()
        self.gate.set()

    async def find(self, wanted):
        self.asked += 1
        await self.gate.wait()
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


@pytest.fixture
def now():
    return [0.0]


@pytest.fixture
def asker():
    return Asker()


@pytest.fixture
def results():
    return []


@pytest.fixture
def careful(asker, now, results):
    return CarefulBinder(asker, care=Care(), monotonic=lambda: now[0], on_result=results.append)


def wanted(number: int = 0) -> Wanted:
    return Wanted(("demo",), POOL, f"+7903111{number:04}", None)


async def test_a_nobody_is_remembered_for_five_seconds(careful, asker, now, results):
    assert await careful.find(wanted()) == NOBODY
    now[0] = 4.9
    assert await careful.find(wanted()) is None
    assert await careful.find(wanted(1)) == NOBODY
    now[0] = 5.1
    assert await careful.find(wanted()) == NOBODY
    assert (asker.asked, results) == (3, ["nobody", "remembered", "nobody", "nobody"])


async def test_somebody_is_not_remembered(careful, asker):
    asker.answer = SOMEBODY
    assert [await careful.find(wanted()) for _ in range(2)] == [SOMEBODY, SOMEBODY]
    assert asker.asked == 2


async def test_one_question_in_flight_for_a_caller_and_number(careful, asker):
    asker.gate.clear()
    both = asyncio.gather(careful.find(wanted()), careful.find(wanted()), careful.find(wanted(1)))
    await asyncio.sleep(0)
    asker.gate.set()
    assert await both == [NOBODY, NOBODY, NOBODY]
    assert asker.asked == 2


async def test_fifty_a_second(careful, asker, now, results):
    for number in range(60):
        await careful.find(wanted(number))
    assert (asker.asked, results.count("capped")) == (50, 10)
    now[0] = 0.1
    for number in range(100, 110):
        await careful.find(wanted(number))
    assert asker.asked == 55


async def test_the_breaker_rests_and_tries_again(careful, asker, now, results):
    asker.answer = BinderUnavailable("x")
    for number in range(8):
        assert await careful.find(wanted(number)) is None
    assert (asker.asked, results[-3:]) == (5, ["resting"] * 3)
    now[0] = 2.1
    await careful.find(wanted(1))
    await careful.find(wanted(2))
    assert asker.asked == 6
    now[0] = 4.3
    asker.answer = NOBODY
    assert await careful.find(wanted(3)) == NOBODY
    assert await careful.find(wanted(4)) == NOBODY


def test_a_success_closes_the_breaker():
    breaker = Breaker(2, timedelta(seconds=1), lambda: 0.0)
    breaker.failed()
    breaker.worked()
    breaker.failed()
    assert breaker.allows()
    breaker.failed()
    assert not breaker.allows()


@pytest.fixture
def client(monkeypatch):
    def make(handler, deadline=5.0):
        made = BinderClient("http://binder", "secret-token", deadline=timedelta(seconds=deadline))
        monkeypatch.setattr(
            made,
            "_http",
            httpx.AsyncClient(
                transport=httpx.MockTransport(handler), base_url="http://binder", headers=made._http.headers
            ),
        )
        return made

    return make


async def test_client_asks_every_tenant_and_takes_the_one_whose_number_it_is(client):
    seen = []

    def handler(request):
        seen.append((request.url.path, request.headers["authorization"], request.content))
        number = {"e164": POOL, "tenant": "solo", "revision": 1, "role": "pool"} if "solo" in request.url.path else None
        return httpx.Response(200, json={"bindings": [], "as_of": "2026-11-24T10:00:00Z", "number": number})

    found = await client(handler).find(Wanted(("demo", "solo"), POOL, D1, None))
    assert found.number.tenant == "solo"
    assert sorted(path for path, _, _ in seen) == [f"/v1/tenants/{name}/bindings/lookup" for name in ("demo", "solo")]
    assert {token for _, token, _ in seen} == {"Bearer secret-token"}
    assert not any(D1 in path for path, _, _ in seen)


@pytest.mark.parametrize(
    "response",
    [httpx.Response(500), httpx.Response(401), httpx.Response(200, content=b"{"), httpx.ConnectError("refused")],
)
async def test_client_reports_any_failure_as_one(client, response):
    def handler(_):
        if isinstance(response, Exception):
            raise response
        return response

    with pytest.raises(BinderUnavailable):
        await client(handler).find(wanted())


async def test_client_gives_up_at_its_deadline(client):
    async def handler(_):
        await asyncio.Event().wait()

    with pytest.raises(BinderUnavailable):
        await client(handler, deadline=0.01).find(wanted())


async def test_unknown_tenant_is_nobody(client):
    assert await client(lambda _: httpx.Response(404)).find(wanted()) == NOBODY
