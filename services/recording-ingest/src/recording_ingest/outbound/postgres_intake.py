"""The ledger in Postgres as pushes change it."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace

from fareline_chassis.postgres.pool import Connection, Database
from fareline_chassis.postgres.sql import Queries, load_queries
from recording_ingest.domain.recordings import Recording
from recording_ingest.outbound.rows import audio_document, recording
from recording_ingest.ports.pushes import CallLedger


class PostgresIntake:
    """Reads the ledger of a call, and writes it under the same lock as the projection."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._queries = load_queries("recording_ingest.outbound", "intake")

    async def known(self, call_id: str) -> Sequence[Recording]:
        """Return the ledger of a call as it is now."""
        async with self._database.acquire() as connection:
            return [recording(row) for row in await connection.fetch(self._queries.known, call_id)]

    async def erased(self, call_id: str) -> bool:
        """Tell whether somebody was taken out of a call, so that nothing of it is taken in any more."""
        async with self._database.acquire() as connection:
            return bool(await connection.fetchval(self._queries.is_erased, call_id))

    @asynccontextmanager
    async def locked(self, call_id: str) -> AsyncIterator[CallLedger]:
        """Lock the ledger of a call, whether the call is known or not; commit on leaving."""
        async with self._database.transaction() as connection:
            await connection.execute(self._queries.lock_call, call_id)
            rows = await connection.fetch(self._queries.known_locked, call_id)
            tenant = await connection.fetchval(self._queries.tenant_of_call, call_id)
            yield _LockedCall(connection, self._queries, [recording(row) for row in rows], tenant)


class _LockedCall:
    def __init__(
        self, connection: Connection, queries: Queries, known: Sequence[Recording], tenant: str | None
    ) -> None:
        self._connection = connection
        self._queries = queries
        self._tenant = tenant
        self.known = known

    async def save(self, entry: Recording) -> None:
        entry = replace(entry, tenant=self._tenant or entry.tenant)
        await self._connection.execute(
            self._queries.take_in,
            entry.recording_id,
            entry.call_id,
            entry.account,
            entry.pbx_call_id,
            entry.tenant,
            entry.part,
            entry.channel,
            entry.source_id,
            entry.attempts,
            entry.object_key,
            entry.sha256,
            entry.size_bytes,
            audio_document(entry.audio),
            entry.stored_at,
        )
        await self._connection.execute(self._queries.touch_call, entry.call_id)
