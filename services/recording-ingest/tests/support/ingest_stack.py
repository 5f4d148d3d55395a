"""recording-ingest on real servers: a migrated database, and the service as a process that can be killed."""

import asyncio
import hashlib
import json
import os
import signal
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
from ingest_keys import keys_file
from ingest_story import KINDS, Told

from fareline_chassis.health import Health
from fareline_chassis.kafka.producer import Producer
from fareline_chassis.kafka.records import InRecord, OutRecord
from fareline_chassis.postgres.migrations import migrate
from fareline_chassis.postgres.pool import Database
from fareline_contracts.topics import CALLS
from fareline_devstack.ports import free_port

SCHEMA = "recording_ingest"
TOKENS = {
    "analyst": (["demo"], ["calls:read", "recordings:read"]),
    "chief": (["demo"], ["calls:read", "calls:read_numbers", "recordings:read"]),
    "clerk": (["demo"], ["calls:read"]),
    "stranger": (["solo"], ["calls:read", "recordings:read"]),
    "root": (["*"], ["*"]),
}


async def migrated(dsn: str) -> None:
    await migrate(dsn, "recording_ingest.migrations", SCHEMA, "all")


@asynccontextmanager
async def connected(dsn: str) -> AsyncIterator[Database]:
    database = Database(dsn, 1, 4, Health().component("postgres"), search_path=SCHEMA)
    await database.connect()
    try:
        yield database
    finally:
        await database.close()


def out_record(told: Told, *, traceparent: str | None = None) -> OutRecord:
    kind, ce_id, data = told
    headers = (("ce_type", KINDS[kind].encode()), ("ce_id", ce_id.encode()))
    trace = (("traceparent", traceparent.encode()),) if traceparent else ()
    return OutRecord(CALLS.name, data["call_id"].encode(), json.dumps(data).encode(), headers + trace)


def in_record(told: Told, offset: int = 0) -> InRecord:
    out = out_record(told)
    return InRecord(out.topic, 0, offset, 0, out.key, out.value, out.headers)


async def send(bootstrap: str, prefix: str, records: list[OutRecord]) -> None:
    producer = Producer(bootstrap, client_id="test", topic_prefix=prefix)
    try:
        await producer.send(records)
    finally:
        await producer.stop()


def tokens_file(folder: Path) -> Path:
    entries = [
        {"name": name, "sha256": hashlib.sha256(name.encode()).hexdigest(), "tenants": tenants, "scopes": scopes}
        for name, (tenants, scopes) in TOKENS.items()
    ]
    path = folder / "tokens.json"
    path.write_text(json.dumps({"tokens": entries}))
    return path


def accounts_file(folder: Path) -> Path:
    account = {
        "name": "demo-generic",
        "kind": "generic",
        "tenants": ["demo", "solo"],
        "secrets": ["whsec_c2VjcmV0"],
        "default_region": "RU",
        "recordings": {"allowed_hosts": ["127.0.0.1"], "allow_private_hosts": True},
    }
    path = folder / "accounts.json"
    path.write_text(json.dumps({"accounts": [account]}))
    return path


@dataclass
class Running:
    """One process of the service."""

    process: asyncio.subprocess.Process
    client: httpx.AsyncClient

    async def kill(self) -> None:
        self.process.send_signal(signal.SIGKILL)
        await self.process.wait()

    async def stop(self) -> int:
        self.process.send_signal(signal.SIGTERM)
        return await self.process.wait()

    async def get(self, path: str, token: str = "analyst", **headers: str) -> httpx.Response:
        return await self.client.get(path, headers={"Authorization": f"Bearer {token}", **headers})


@dataclass
class ServiceBox:
    """What a process of the service needs, and a way to start any number of them.

    `lease_s` is how long a download is its worker's; who comes after a killed one waits for as long, and nobody else.
    """

    dsn: str
    bootstrap: str
    prefix: str
    folder: Path
    attempts: int = 3
    lease_s: float = 60

    def environment(self, port: int) -> dict[str, str]:
        return {
            **os.environ,
            "DATABASE_URL": self.dsn,
            "KAFKA_BOOTSTRAP": self.bootstrap,
            "KAFKA_TOPIC_PREFIX": self.prefix,
            "HTTP_PORT": str(port),
            "FARELINE_DEMO": "1",
            "FARELINE_TOKENS_FILE": str(tokens_file(self.folder)),
            "FARELINE_PHONE_KEYS_FILE": str(keys_file(self.folder)),
            "FARELINE_ACCOUNTS_FILE": str(accounts_file(self.folder)),
            "STORAGE_URL": str(self.folder / "storage"),
            "DOWNLOAD_FIRST_RETRY": "0.05",
            "DOWNLOAD_ATTEMPTS": str(self.attempts),
            "DOWNLOAD_LEASE": str(self.lease_s),
            "DOWNLOAD_POLL": "0.05",
            "READY_DELAY": "0",
        }

    @asynccontextmanager
    async def running(self, *, ready: bool = True) -> AsyncIterator[Running]:
        port = free_port()
        log = (self.folder / f"service-{port}.log").open("wb")
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "recording_ingest", "run", env=self.environment(port), stdout=log, stderr=log
        )
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", trust_env=False, timeout=30) as client:
            running = Running(process, client)
            try:
                if ready:
                    await eventually(lambda: is_ready(running))
                yield running
            finally:
                if process.returncode is None:
                    await running.stop()
                log.close()

    def stored_files(self) -> list[Path]:
        return [path for path in (self.folder / "storage" / "audio").rglob("*") if path.is_file()]


async def is_ready(running: Running) -> bool:
    assert running.process.returncode is None, "the service ended: see its log"
    try:
        return (await running.client.get("/health/ready")).status_code == 200
    except httpx.TransportError:
        return False


async def eventually(check: Callable[[], Any], within: float = 60) -> Any:
    """Return the first truthy result of `check`, polled."""
    async with asyncio.timeout(within):
        while not (found := await check()):
            await asyncio.sleep(0.05)
    return found
