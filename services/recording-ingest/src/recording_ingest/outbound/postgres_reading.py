"""The ledger in Postgres, as it is read."""

from collections.abc import Sequence

import asyncpg

from fareline_chassis.postgres.pool import Database
from fareline_chassis.postgres.sql import load_queries
from recording_ingest.domain.recordings import Recording
from recording_ingest.outbound.rows import recording
from recording_ingest.ports.recordings import Access, NotedAccess


class PostgresReader:
    """Answers questions; writes nothing but the access log."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._queries = load_queries("recording_ingest.outbound", "reading")

    async def recording(self, recording_id: str) -> Recording | None:
        """Return one ledger entry; `recording_id` is a UUID."""
        async with self._database.acquire() as connection:
            row = await connection.fetchrow(self._queries.recording, recording_id)
        return recording(row) if row else None

    async def log_access(self, access: Access) -> None:
        """Write the audit row; committed on return."""
        async with self._database.acquire() as connection:
            await connection.execute(
                self._queries.log_access,
                access.recording_id,
                access.call_id,
                access.tenant,
                access.actor,
                access.action,
                access.byte_range,
                access.at,
            )

    async def accesses(self, recording_id: str) -> Sequence[NotedAccess]:
        """Return the audit rows of a recording, oldest first."""
        async with self._database.acquire() as connection:
            rows = await connection.fetch(self._queries.accesses, recording_id)
        return [NotedAccess(_access(row), row["intact"]) for row in rows]


def _access(row: asyncpg.Record) -> Access:
    return Access(
        recording_id=str(row["recording_id"]),
        call_id=row["call_id"],
        tenant=row["tenant"],
        actor=row["actor"],
        action=row["action"],
        byte_range=row["byte_range"],
        at=row["at"],
    )
