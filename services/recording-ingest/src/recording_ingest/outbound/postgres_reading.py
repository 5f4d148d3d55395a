"""The ledger in Postgres, as it is read, and the log of who read it."""

from collections.abc import Sequence
from typing import Final

import asyncpg

from fareline_chassis.postgres.pool import Database
from fareline_chassis.postgres.sql import load_queries
from recording_ingest.domain.recordings import Recording
from recording_ingest.domain.search import BadQuestion
from recording_ingest.outbound.phone_vault import PhoneVault
from recording_ingest.outbound.rows import recording
from recording_ingest.ports.access_log import Access, AccessFilter, NotedAccess, Outcome

_PLAIN: Final = (
    "access_id", "call_id", "actor", "auth_method", "request_id", "ip", "reason", "action", "byte_range", "at",
    "ended_at", "intact",
)  # fmt: skip


class PostgresReader:
    """Answers questions; writes nothing but the access log."""

    def __init__(self, database: Database, vault: PhoneVault) -> None:
        self._database = database
        self._vault = vault
        self._queries = load_queries("recording_ingest.outbound", "reading")

    async def recording(self, recording_id: str) -> Recording | None:
        """Return one ledger entry; `recording_id` is a UUID."""
        async with self._database.acquire() as connection:
            row = await connection.fetchrow(self._queries.recording, recording_id)
        return recording(row) if row else None

    async def log_access(self, access: Access) -> int:
        """Write the audit row and return its id; committed on return."""
        asker = access.asker
        context = (asker.auth_method, asker.reason, asker.ip, asker.request_id)
        tenants = None if access.tenants is None else list(access.tenants)
        phone_hash = self._vault.hash(access.phone) if access.phone else None
        async with self._database.acquire() as connection:
            written: int = await connection.fetchval(
                self._queries.log_access,
                access.recording_id,
                access.call_id,
                access.tenant,
                asker.actor,
                access.action,
                access.byte_range,
                access.at,
                *context,
                access.outcome,
                access.bytes_sent,
                access.begun,
                tenants,
                phone_hash,
            )
        return written

    async def accesses(self, recording_id: str) -> Sequence[NotedAccess]:
        """Return the accesses to a recording, oldest first."""
        async with self._database.acquire() as connection:
            return [_noted(row) for row in await connection.fetch(self._queries.accesses, recording_id)]

    async def find_accesses(self, wanted: AccessFilter) -> Sequence[NotedAccess]:
        """Return accesses, newest first. Raises BadQuestion where `before` is no access of these tenants."""
        tenants = None if wanted.tenants is None else list(wanted.tenants)
        hashes = list(self._vault.hashes(wanted.phone)) if wanted.phone else None
        when, who = (wanted.since, wanted.until), (tenants, wanted.actor, wanted.action, hashes)
        values = (*when, *who, wanted.before, wanted.limit)
        async with self._database.acquire() as connection:
            if wanted.before and not await connection.fetchval(self._queries.shown_access, wanted.before, tenants):
                raise BadQuestion("cursor", "not the next of a page; ask again without it")
            return [_noted(row) for row in await connection.fetch(self._queries.find_accesses, *values)]


def _noted(row: asyncpg.Record) -> NotedAccess:
    return NotedAccess(
        recording_id=str(row["recording_id"]) if row["recording_id"] else None,
        phone_hash=row["phone"],
        outcome=Outcome(row["final"]) if row["final"] else None,
        bytes_sent=row["sent"],
        **{name: row[name] for name in _PLAIN},
    )
