import asyncio
import json
import re
import signal
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
from eventually import eventually

SCRIPT = Path(__file__).parents[1] / "support" / "served_process.py"
ADDRESS = re.compile(r"http://127\.0\.0\.1:\d+")


class Served:
    """The process, what it logged, and how it ended."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process
        self.lines: list[dict[str, Any]] = []
        self.reading = asyncio.create_task(self._read())
        self.client = httpx.AsyncClient(trust_env=False, timeout=30)

    async def _read(self) -> None:
        assert self.process.stdout is not None
        async for line in self.process.stdout:
            self.lines.append(json.loads(line))

    async def said(self, text: str) -> dict[str, Any]:
        async def look() -> dict[str, Any] | None:
            return next((line for line in self.lines if text in line["event"]), None)

        found = await eventually(look)
        assert found is not None
        return found

    async def address(self) -> str:
        found = ADDRESS.search((await self.said("Uvicorn running on"))["event"])
        assert found is not None
        return found[0]

    async def get(self, path: str) -> httpx.Response:
        return await self.client.get(f"{await self.address()}{path}")

    async def ended(self) -> int:
        code = await asyncio.wait_for(self.process.wait(), 30)
        await self.reading
        return code


Start = Callable[[str], Awaitable[Served]]


@pytest.fixture
async def start() -> AsyncIterator[Start]:
    all_of_them: list[Served] = []

    async def begin(how: str) -> Served:
        process = await asyncio.create_subprocess_exec(
            sys.executable, str(SCRIPT), how, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
        )
        all_of_them.append(Served(process))
        return all_of_them[-1]

    yield begin
    for served in all_of_them:
        if served.process.returncode is None:
            served.process.kill()
        await served.ended()
        await served.client.aclose()


async def ready(served: Served) -> bool:
    return (await served.get("/health/ready")).status_code == 200


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_a_signal_lets_requests_finish_and_ends_with_0(start: Start, number: signal.Signals) -> None:
    served = await start("plain")
    await eventually(lambda: ready(served))
    assert (await served.said("loop"))["kind"].startswith("uvloop")
    asked = asyncio.create_task(served.get("/slow"))
    await served.said("request came")
    served.process.send_signal(number)
    assert (await asked).text == "whole"
    assert await served.ended() == 0
    events = [line["event"] for line in served.lines]
    assert events.index("stopping") < events.index("on_stop") < events.index("stopped")


@pytest.mark.parametrize(
    ("how", "said", "believed"),
    [
        ("plain", "198.51.100.7", "127.0.0.1"),
        ("proxied", "198.51.100.7", "198.51.100.7"),
        ("proxied", "192.0.2.66, 198.51.100.7", "198.51.100.7"),  # the first was said by the client itself
        ("proxied", "192.0.2.66, 198.51.100.7, 203.0.113.9", "198.51.100.7"),  # two proxies of ours
        ("proxied", "", "127.0.0.1"),
    ],
)
async def test_only_a_trusted_proxy_says_who_the_client_is(
    start: Start, monkeypatch: pytest.MonkeyPatch, how: str, said: str, believed: str
) -> None:
    monkeypatch.setenv("FORWARDED_ALLOW_IPS", "127.0.0.1" if how == "plain" else "192.0.2.1")  # uvicorn would heed it
    served = await start(how)
    await eventually(lambda: ready(served))
    address = await served.address()
    assert (await served.client.get(f"{address}/client", headers={"X-Forwarded-For": said})).text == believed


async def test_while_draining_it_still_answers_but_is_not_ready_until_told_again(start: Start) -> None:
    served = await start("drain")
    await eventually(lambda: ready(served))
    served.process.send_signal(signal.SIGTERM)
    await served.said("stopping")
    answer = await served.get("/health/ready")
    assert (answer.status_code, answer.json()["draining"]) == (503, True)
    served.process.send_signal(signal.SIGTERM)
    assert await served.ended() == 0


async def test_it_drains_for_as_long_as_it_is_told_to_and_ends(start: Start) -> None:
    served = await start("brief")
    await eventually(lambda: ready(served))
    served.process.send_signal(signal.SIGTERM)
    assert (await served.said("stopping"))["drain_s"] == 0.1
    assert await served.ended() == 0


async def test_it_serves_health_while_it_waits_and_can_be_stopped_then(start: Start) -> None:
    served = await start("unready")
    assert (await served.said("waiting"))["waiting_for"] == "Kafka"
    answer = await served.get("/health/startup")
    assert answer.status_code == 503
    assert answer.json()["components"]["kafka"]["detail"].startswith("waiting for Kafka: ConnectionRefusedError")
    assert (await served.get("/health/live")).status_code == 200
    served.process.send_signal(signal.SIGTERM)
    assert await served.ended() == 0


async def test_a_start_that_fails_ends_with_1_and_says_why(start: Start) -> None:
    served = await start("broken")
    assert await served.ended() == 1
    said = await served.said("cannot start")
    assert "RuntimeError: cannot serve +7***2233" in said["exception"]
    assert "on_stop" in [line["event"] for line in served.lines]
