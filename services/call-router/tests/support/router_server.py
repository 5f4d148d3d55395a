"""A router to talk to over HTTP: in this process on its ASGI application, or as a process of its own."""

import asyncio
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path

import httpx
from pbx_messages import generic_headers, generic_message, zadarma_fields, zadarma_signature
from router_world import POOL

from call_router.settings import Settings
from fareline_devstack.ports import free_port

DEMO = Path(__file__).parents[4] / "deploy" / "demo"
GENERIC_SECRET = "whsec_ZmFyZWxpbmUtZGVtby1nZW5lcmljLXNlY3JldA=="
ZADARMA_SECRET = "fareline-demo-zadarma"
TOKEN = "fareline-demo-token"
NOBODY_LISTENS = "127.0.0.1:1"


def environment(folder: Path, *, kafka: str = NOBODY_LISTENS, prefix: str = "", **more: str) -> dict[str, str]:
    """Return the settings of a router with the demo's accounts and tokens.

    Where there is a Kafka, it has not started before it knows everything, however long that takes.
    """
    return {
        "KAFKA_BOOTSTRAP": kafka,
        "KAFKA_TOPIC_PREFIX": prefix,
        "FARELINE_DEMO": "1",
        "FARELINE_ACCOUNTS_FILE": str(DEMO / "accounts.json"),
        "FARELINE_TOKENS_FILE": str(DEMO / "tokens.json"),
        "ORDER_BINDER_URL": f"http://{NOBODY_LISTENS}",
        "ORDER_BINDER_TOKEN": TOKEN,
        "ROUTER_DATA_DIR": str(folder),
        "ROUTER_FILL_WAIT_S": "1" if kafka == NOBODY_LISTENS else "60",
    } | more


def settings(folder: Path, **more: str) -> Settings:
    """Return the same as an object."""
    return Settings(**{name.lower(): value for name, value in environment(folder, **more).items()})


async def ask(http: httpx.AsyncClient, body: bytes, **headers: str) -> httpx.Response:
    """Post a signed message of the generic contract."""
    signed = generic_headers(body, at=datetime.now(UTC), secret=GENERIC_SECRET) | headers
    return await http.post("/pbx/generic/demo-generic", content=body, headers=signed)


async def notify(http: httpx.AsyncClient, event: str, **more: str) -> httpx.Response:
    """Post a signed webhook of Zadarma."""
    fields = zadarma_fields(event, **more)
    signature = zadarma_signature(fields, ZADARMA_SECRET)
    return await http.post("/pbx/zadarma/demo-zadarma", data=fields, headers={"signature": signature})


def talking_to(router: "RouterProcess") -> httpx.AsyncClient:
    """Return a client of a router that waits for its answers longer than a PBX would."""
    return httpx.AsyncClient(base_url=router.url, trust_env=False, timeout=30)


class RouterProcess:
    """`python -m call_router run`, with its log in a file."""

    def __init__(self, folder: Path, env: Mapping[str, str]) -> None:
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.log = folder / f"router-{self.port}.log"
        self._out = self.log.open("wb")
        self._process = subprocess.Popen(
            [sys.executable, "-m", "call_router", "run"],
            env={"PATH": os.environ["PATH"], "HTTP_PORT": str(self.port), **env},
            stdout=self._out,
            stderr=subprocess.STDOUT,
        )

    def wait_until_listening(self, within_s: float = 60) -> None:
        """Return when the port is open."""
        deadline = time.monotonic() + within_s
        while time.monotonic() < deadline:
            assert self._process.poll() is None, self.log.read_text()
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", self.port)) == 0:
                    return
            time.sleep(0.02)
        raise AssertionError(self.log.read_text())

    def kill(self) -> None:
        """End it at once."""
        self._process.send_signal(signal.SIGKILL)
        self._process.wait()

    def ended(self) -> int:
        """Wait until it ends by itself; returns the exit code."""
        code = self._process.wait(timeout=90)
        self._out.close()
        return code

    def stop(self) -> int:
        """End it in order; returns the exit code."""
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)
        code = self._process.wait(timeout=90)
        self._out.close()
        return code


async def until(condition: Callable[[], Awaitable[object]], within_s: float = 60) -> object:
    """Ask again and again until the answer is truthy, and return it."""
    async with asyncio.timeout(within_s):
        while not (found := await condition()):
            await asyncio.sleep(0.05)
        return found


async def metric(http: httpx.AsyncClient, name: str) -> float:
    lines = (await http.get("/metrics")).text.splitlines()
    return next(float(line.rsplit(" ", 1)[1]) for line in lines if line.startswith(f"fareline_router_{name} "))


async def started(router: RouterProcess, http: httpx.AsyncClient) -> None:
    async def up() -> bool:
        return (await http.get("/health/startup")).status_code == 200

    await until(up, within_s=90)


async def reason(http: httpx.AsyncClient, caller: str, number: str = POOL, call: str = "") -> str:
    body = generic_message(
        "call.started", **{"from": caller, "to": number, "call_id": call or f"c-{datetime.now(UTC).timestamp()}"}
    )
    response = await ask(http, body)
    assert response.status_code == 200, response.text
    return response.json()["reason"]
