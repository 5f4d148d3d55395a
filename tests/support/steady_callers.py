"""Callers who keep calling whatever is broken: each call is put to one router, to the other where nobody listens."""

import asyncio
import base64
import hashlib
import hmac
import itertools
import json
import random
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from time import monotonic

import httpx

ACCOUNT, SECRET = "demo-generic", "ZmFyZWxpbmUtZGVtby1nZW5lcmljLXNlY3JldA=="
PROMISED_S, GIVEN_UP_S, TICK_S = 1.0, 20.0, 0.02
NOBODY_THERE = (httpx.ConnectError, httpx.ReadError, httpx.WriteError, httpx.RemoteProtocolError)


@dataclass(frozen=True, slots=True)
class Pair:
    """Two people and the number between them."""

    driver: str
    client: str
    number: str


@dataclass
class Pulse:
    """How long the machine did not let the callers run, though they wanted to: no router can be blamed for that."""

    lost_s: float = 0.0

    async def beat(self) -> None:
        """Count until cancelled."""
        while True:
            wanted = monotonic() + TICK_S
            await asyncio.sleep(TICK_S)
            late = monotonic() - wanted
            self.lost_s += late if late > TICK_S else 0.0


@dataclass
class Callers:
    """Calls at `rate` a second from a thread of its own, between `start` and `stop`. `routers` may be changed meanwhile.

    `calls` are the PBX's ids of all calls made; `wrong` says what was not as promised, in words. An answer is promised
    within a second in which the callers themselves were let run.
    """

    routers: list[str]
    pairs: Sequence[Pair]
    stranger: str
    rate: float = 20.0
    calls: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    moved: int = 0
    now_broken: str = "nothing"
    _pulse: Pulse = field(default_factory=Pulse)

    def start(self) -> None:
        self._ending = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._call_on()), name="callers")
        self._thread.start()

    def stop(self) -> None:
        self._ending.set()
        self._thread.join(2 * GIVEN_UP_S)
        assert not self._thread.is_alive(), "calls have no end"

    async def _call_on(self) -> None:
        limits = httpx.Limits(max_keepalive_connections=0)  # each call comes on a connection of its own
        async with (
            httpx.AsyncClient(trust_env=False, timeout=None, limits=limits) as http,
            asyncio.TaskGroup() as under_way,
        ):
            beating = asyncio.create_task(self._pulse.beat())
            for number in itertools.count():
                if self._ending.is_set():
                    break
                under_way.create_task(self._one(http, number))
                await asyncio.sleep(1 / self.rate)
        beating.cancel()

    async def _one(self, http: httpx.AsyncClient, number: int) -> None:
        pair = self.pairs[number % len(self.pairs)]
        caller, callee = [(pair.driver, pair.client), (pair.client, pair.driver), (self.stranger, None)][number % 3]
        call_id = f"steady-{number}"
        self.calls.append(call_id)
        call = {"v": 1, "call_id": call_id, "from": caller, "to": pair.number}
        answer = await self._ask(http, {**call, "event": "call.started", "at": _now()})
        if answer is not None:
            self._judge(answer, callee)
        await asyncio.sleep(0.05)
        times = dict.fromkeys(("ringing_at", "ended_at", "at"), _now())
        await self._ask(http, {**call, "event": "call.ended", "disposition": "no_answer", **times})

    def _judge(self, answer: dict, callee: str | None) -> None:
        action, reason = answer["actions"][-1], answer["reason"]
        right = action.get("targets") == [callee] if callee else reason == "unknown_caller"
        if not right:
            self.wrong.append(f"{self.now_broken}: {reason}, {action['do']} for a {'party' if callee else 'stranger'}")

    async def _ask(self, http: httpx.AsyncClient, message: dict) -> dict | None:
        body = json.dumps(message).encode()
        what = f"{message['event']} while broken: {self.now_broken}"
        began, lost = monotonic(), self._pulse.lost_s
        try:
            async with asyncio.timeout(GIVEN_UP_S):
                response = await self._put_to_one(http, body)
        except TimeoutError:
            self.wrong.append(f"{what}: no answer within {GIVEN_UP_S:.0f} s")
            return None
        if (took := monotonic() - began - (self._pulse.lost_s - lost)) > PROMISED_S:
            self.wrong.append(f"{what}: answered after {took:.1f} s")
        if response.status_code != 200:
            self.wrong.append(f"{what}: {response.status_code} {response.text[:80]}")
            return None
        return response.json()

    async def _put_to_one(self, http: httpx.AsyncClient, body: bytes) -> httpx.Response:
        while True:
            for url in random.sample(self.routers, len(self.routers)):
                try:
                    return await http.post(f"{url}/pbx/generic/{ACCOUNT}", content=body, headers=_signed(body))
                except NOBODY_THERE:
                    self.moved += 1
            await asyncio.sleep(0.02)


def _now() -> str:
    return datetime.now(UTC).isoformat()


def _signed(body: bytes) -> dict[str, str]:
    stamp = str(int(datetime.now(UTC).timestamp()))
    text = b"msg_1." + stamp.encode() + b"." + body
    value = base64.b64encode(hmac.new(base64.b64decode(SECRET), text, hashlib.sha256).digest()).decode()
    return {"webhook-id": "msg_1", "webhook-timestamp": stamp, "webhook-signature": f"v1,{value}"}
