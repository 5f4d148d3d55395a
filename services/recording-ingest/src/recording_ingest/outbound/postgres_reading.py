"""The call log and the ledger in Postgres, as they are read."""

from collections.abc import Sequence

from fareline_chassis.postgres.pool import Database
from fareline_chassis.postgres.sql import load_queries
from recording_ingest.domain.events import CallEvent, event_from
from recording_ingest.domain.recordings import Recording
from recording_ingest.domain.search import CallFilter, Listed
from recording_ingest.outbound.rows import listed, recording
from recording_ingest.ports import Access


class PostgresReader:
    """Answers questions; writes nothing but the access log."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._queries = load_queries("recording_ingest.outbound", "reading")

    async def page(self, wanted: CallFilter) -> Sequence[Listed]:
        """Return at most one call more than `wanted.limit`, newest first."""
        async with self._database.acquire() as connection:
            rows = await connection.fetch(
                self._queries.page,
                wanted.since,
                wanted.until,
                wanted.cursor.started_at if wanted.cursor else None,
                wanted.cursor.call_id if wanted.cursor else None,
                None if wanted.tenants is None else list(wanted.tenants),
                wanted.number,
                wanted.order_id,
                wanted.disposition,
                wanted.reason,
                wanted.source,
                wanted.direction,
                wanted.driver_id,
                wanted.client_id,
                wanted.min_talk_s,
                wanted.updated_since,
                wanted.recording,
                wanted.limit + 1,
            )
        return [listed(row) for row in rows]

    async def call(self, call_id: str) -> Listed | None:
        """Return one call."""
        async with self._database.acquire() as connection:
            row = await connection.fetchrow(self._queries.call, call_id)
        return listed(row) if row else None

    async def calls_of_order(self, tenant: str, order_id: str) -> Sequence[Listed]:
        """Return the calls of an order, oldest first."""
        async with self._database.acquire() as connection:
            return [listed(row) for row in await connection.fetch(self._queries.calls_of_order, tenant, order_id)]

    async def story(self, call_id: str) -> Sequence[CallEvent]:
        """Return every event of a call, in no order."""
        async with self._database.acquire() as connection:
            rows = await connection.fetch(self._queries.story, call_id)
        return [event_from(row["kind"], row["ce_id"], row["data"]) for row in rows]

    async def recordings(self, call_id: str) -> Sequence[Recording]:
        """Return the ledger entries of a call, by part."""
        async with self._database.acquire() as connection:
            return [recording(row) for row in await connection.fetch(self._queries.recordings_of_call, call_id)]

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
