"""The recordings' routes over a real ledger, storage and decoder, without the rest of the service."""

import hashlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
from fastapi import FastAPI
from ingest_keys import vault

from fareline_chassis.auth import Grant, TokenBook
from fareline_chassis.clock import utc_now
from fareline_chassis.postgres.pool import Database
from fareline_chassis.problems import problem_handlers
from recording_ingest.inbound.access import Gate
from recording_ingest.inbound.push_api import PushApi
from recording_ingest.inbound.recordings_api import RecordingsApi
from recording_ingest.outbound.audio import AudioIndex
from recording_ingest.outbound.downloads import Caps
from recording_ingest.outbound.inbox import PushInbox
from recording_ingest.outbound.postgres_intake import PostgresIntake
from recording_ingest.outbound.postgres_reading import PostgresReader
from recording_ingest.outbound.storage import ObjectStorage
from recording_ingest.usecases.receive_recording import Receiving

CAP = 400_000
TENANTS = {"demo-asterisk": ("demo", "solo"), "solo-asterisk": ("solo",)}


def grant(name: str, *tenants: str) -> tuple[bytes, Grant]:
    return hashlib.sha256(name.encode()).digest(), Grant(name, frozenset(tenants), frozenset({"*"}))


@asynccontextmanager
async def recordings_over(
    database: Database, folder: Path, *, reason_required: bool = False
) -> AsyncIterator[httpx.AsyncClient]:
    audio, store = AudioIndex(1), ObjectStorage(str(folder / "storage"))
    gate = Gate(
        TokenBook([grant("pbx", "demo", "solo"), grant("half", "demo"), grant("stranger", "other"), grant("root", "*")])
    )
    tools = Receiving(PushInbox(Caps(size_bytes=CAP)), PostgresIntake(database), store, audio, utc_now)
    pushes = PushApi(tools, gate, lambda name: TENANTS.get(name, ()), CAP)
    reader, others = PostgresReader(database, vault(folder)), (pushes.router(),)
    api = RecordingsApi(reader, store, gate, utc_now, others, reason_required=reason_required)
    app = FastAPI()
    app.include_router(api.router())
    problem_handlers(app)
    transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
    headers = {"Authorization": "Bearer root"}
    async with httpx.AsyncClient(transport=transport, base_url="http://ingest", headers=headers) as client:
        try:
            yield client
        finally:
            await audio.close()
