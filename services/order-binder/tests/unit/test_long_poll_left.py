"""A long poll ends early where its app has gone away, or the process is about to."""

import asyncio

import pytest
import uvicorn
from binder_desk import Desk, RealTime
from binder_process import until

HEAD = "HTTP/1.1\r\nHost: binder\r\nAuthorization: Bearer all\r\n\r\n"


class Counted:
    """An application that knows how many requests are under way."""

    def __init__(self, app):
        self._app, self.under_way, self.begun = app, 0, 0

    async def __call__(self, scope, receive, send):
        self.under_way, self.begun = self.under_way + 1, self.begun + 1
        try:
            await self._app(scope, receive, send)
        finally:
            self.under_way -= 1


@pytest.fixture
def desk():
    return Desk(RealTime())


@pytest.fixture
def counted(desk):
    return Counted(desk.app)


@pytest.fixture
async def port(counted):
    """Serve the application over real connections."""
    server = uvicorn.Server(uvicorn.Config(counted, host="127.0.0.1", port=0, lifespan="off", log_config=None))
    running = asyncio.create_task(server.serve())
    await until(lambda: settled(server.started))
    yield server.servers[0].sockets[0].getsockname()[1]
    server.should_exit = True
    await running


async def settled(value):
    return value


async def test_an_app_that_hangs_up_is_not_waited_for(counted, port):
    _, app = await asyncio.open_connection("127.0.0.1", port)
    app.write(f"GET /v1/tenants/demo/orders/o-1/binding?min_version=1&wait=30s {HEAD}".encode())
    await until(lambda: settled(counted.begun))
    app.close()
    await until(lambda: settled(counted.under_way == 0), within=20)


async def test_an_app_that_stays_is_answered_when_the_wait_is_over(counted, port):
    answer, app = await asyncio.open_connection("127.0.0.1", port)
    app.write(f"GET /v1/tenants/demo/orders/o-1/binding?min_version=1&wait=300ms {HEAD}".encode())
    assert (await answer.readline()).startswith(b"HTTP/1.1 200")
    app.close()


async def test_a_process_that_stops_answers_at_once(desk, counted, port):
    answer, app = await asyncio.open_connection("127.0.0.1", port)
    app.write(f"GET /v1/tenants/demo/orders/o-1/binding?min_version=1&wait=30s {HEAD}".encode())
    await until(lambda: settled(counted.begun))
    desk.stopping = True
    async with asyncio.timeout(20):
        assert (await answer.readline()).startswith(b"HTTP/1.1 200")
    app.close()
