"""Whole processes of order-binder, and its surroundings as others see them."""

import asyncio
import hashlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path

import httpx
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition

TOKEN = "test-token"
AUTH = {"Authorization": f"Bearer {TOKEN}"}


def tokens_file(folder: Path) -> Path:
    """Write a tokens file: TOKEN may do everything for demo, `read-token` may read bindings of demo only."""
    path = folder / "tokens.json"
    digest = {name: hashlib.sha256(name.encode()).hexdigest() for name in (TOKEN, "read-token")}
    tokens = [
        {"name": "all", "sha256": digest[TOKEN], "tenants": ["demo"], "scopes": ["*"]},
        {"name": "read", "sha256": digest["read-token"], "tenants": ["demo"], "scopes": ["bindings:read"]},
    ]
    path.write_text(json.dumps({"tokens": tokens}))
    return path


class BinderProcess:
    """One process; `driver` is a script to run instead of the service's own entry."""

    def __init__(self, env: Mapping[str, str], *, log: Path, driver: Path | None = None) -> None:
        self.base_url = f"http://127.0.0.1:{env['HTTP_PORT']}"
        self.log = log
        command = [sys.executable, str(driver)] if driver else [sys.executable, "-m", "order_binder", "run"]
        with log.open("wb") as out:
            self.process = subprocess.Popen(command, env={**os.environ, **env}, stdout=out, stderr=subprocess.STDOUT)

    def kill(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()

    def terminate(self) -> int:
        """Ask the process to stop and return its exit status."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(timeout=90)

    async def health(self) -> dict:
        """Return what the process says of itself, empty while it does not answer."""
        async with httpx.AsyncClient() as http:
            try:
                return (await http.get(f"{self.base_url}/health/ready")).json()
            except httpx.TransportError:
                return {}

    async def ready(self) -> None:
        async def look() -> bool:
            assert self.process.poll() is None, self.log.read_text()[-4000:]
            return (await self.health()).get("ready", False)

        await until(look, say=lambda: self.log.read_text()[-4000:])


async def until(look: Callable[[], Awaitable], *, within: float = 90.0, say: Callable[[], str] = lambda: "") -> object:
    """Return the first truthy result of `look`; fail after `within` seconds."""
    deadline = time.monotonic() + within
    while True:
        found = await look()
        if found:
            return found
        assert time.monotonic() < deadline, f"not within {within} s\n{say()}"
        await asyncio.sleep(0.05)


async def produce(bootstrap: str, topic: str, records) -> None:
    """Append (key, value, headers) records, all to partition 0."""
    producer = AIOKafkaProducer(bootstrap_servers=bootstrap)
    await producer.start()
    try:
        for key, value, headers in records:
            await producer.send_and_wait(topic, value, key=key, headers=headers, partition=0)
    finally:
        await producer.stop()


async def everything(bootstrap: str, topic: str, partitions: int = 3) -> list:
    """Return all records that stand in a topic now."""
    consumer = AIOKafkaConsumer(bootstrap_servers=bootstrap, enable_auto_commit=False, auto_offset_reset="earliest")
    await consumer.start()
    try:
        places = [TopicPartition(topic, index) for index in range(partitions)]
        consumer.assign(places)
        ends = await consumer.end_offsets(places)
        found = []
        while any([await consumer.position(place) < ends[place] for place in places]):
            for batch in (await consumer.getmany(timeout_ms=200)).values():
                found.extend(batch)
        return found
    finally:
        await consumer.stop()


def order_json(order_id: str, version: int, status: str = "accepted", **changes) -> bytes:
    """Return a snapshot of tenant demo as JSON."""
    document = {
        "tenant": "demo",
        "order_id": order_id,
        "version": version,
        "status": status,
        "status_changed_at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "scheduled_for": None,
        "client": {"id": "c-1", "phones": ["+79261234567"]},
        "driver": {"id": "d-1", "phones": ["8 903 111-22-33"]},
        **changes,
    }
    return json.dumps(document).encode()
