"""The HTTP interface in this process, over a real database and without Kafka, for readers of several kinds."""

import hashlib
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

import httpx
from fastapi import APIRouter, FastAPI
from ingest_keys import vault
from ingest_stack import in_record
from ingest_story import Told
from prometheus_client import CollectorRegistry

from fareline_chassis.auth import Grant, TokenBook
from fareline_chassis.health import Health
from fareline_chassis.postgres.pool import Database
from recording_ingest.domain.recordings import Waits
from recording_ingest.inbound.access import Gate
from recording_ingest.inbound.calls_api import CallsApi
from recording_ingest.inbound.cursors import Cursors
from recording_ingest.inbound.exports_api import ExportsApi
from recording_ingest.inbound.http import build_http
from recording_ingest.inbound.kafka import decode
from recording_ingest.inbound.recordings_api import RecordingsApi
from recording_ingest.outbound.phone_vault import PhoneVault
from recording_ingest.outbound.postgres_calls import PostgresCalls
from recording_ingest.outbound.postgres_projection import PostgresCallLog
from recording_ingest.outbound.postgres_reading import PostgresReader
from recording_ingest.outbound.storage import ObjectStorage
from recording_ingest.usecases.project_calls import project_calls

NOW = datetime(2026, 11, 24, 23, tzinfo=UTC)
READERS = {
    "analyst": ({"demo"}, {"calls:read"}),
    "chief": ({"demo"}, {"calls:read", "calls:read_numbers"}),
    "both": ({"demo", "solo"}, {"calls:read"}),
    "stranger": ({"solo"}, {"calls:read", "calls:read_numbers"}),
    "listener": ({"demo"}, {"recordings:read"}),
    "auditor": ({"demo"}, {"recordings:audit"}),
    "other auditor": ({"solo"}, {"recordings:audit"}),
    "root": ({"*"}, {"*"}),
}
"""Tokens, each named as its holder: tenants and scopes."""


def token_book() -> TokenBook:
    return TokenBook(
        (hashlib.sha256(name.encode()).digest(), Grant(name, frozenset(tenants), frozenset(scopes)))
        for name, (tenants, scopes) in READERS.items()
    )


def application(database: Database, folder: Path, others: Sequence[APIRouter] = ()) -> FastAPI:
    phones, gate = vault(folder), Gate(token_book())

    def clock() -> datetime:
        return NOW

    finder, ledger = PostgresCalls(database, phones), PostgresReader(database, phones)
    return build_http(
        CallsApi(finder, gate, clock, Cursors(phones.signing_keys()), ledger),
        ExportsApi(finder, gate, clock, ledger),
        RecordingsApi(ledger, ObjectStorage(str(folder)), gate, clock, others),
        Health(),
        CollectorRegistry(),
    )


class Reader(httpx.AsyncClient):
    """Asks with the token of a reader."""

    async def ask(self, path: str, who: str = "analyst", **more: object) -> httpx.Response:
        return await self.request(
            "POST" if "json" in more else "GET",
            path,
            headers={"Authorization": f"Bearer {who}"},
            **more,  # type: ignore[arg-type]
        )


@asynccontextmanager
async def reader(database: Database, folder: Path) -> AsyncIterator[Reader]:
    transport = httpx.ASGITransport(app=application(database, folder))
    async with Reader(transport=transport, base_url="http://ingest") as client:
        yield client


async def project(database: Database, phones: PhoneVault, told: Sequence[Told]) -> None:
    batch = [kept for kept in map(decode, map(in_record, told)) if kept]
    await project_calls(PostgresCallLog(database, phones), batch, lambda _: Waits())
