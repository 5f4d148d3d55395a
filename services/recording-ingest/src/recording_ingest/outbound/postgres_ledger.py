"""The ledger in Postgres as a queue of downloads and as a source of facts."""

import asyncio
import uuid
from collections.abc import Sequence
from datetime import datetime, timedelta

from fareline_chassis.postgres.pool import Database
from fareline_chassis.postgres.sql import load_queries
from recording_ingest.domain.recordings import Recording
from recording_ingest.outbound.rows import audio_document, recording, recording_document
from recording_ingest.ports.downloads import Job
from recording_ingest.ports.facts import Fact


class PostgresLedger:
    """Leases, outcomes, and what was not told yet. Times are the database's."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._queries = load_queries("recording_ingest.outbound", "ledger")

    async def lease(self, limit: int, *, lease_for: timedelta) -> Sequence[Job]:
        """Take at most `limit` due entries, those first that their PBX deletes first."""
        async with self._database.acquire() as connection:
            rows = await connection.fetch(self._queries.lease, limit, uuid.uuid4(), lease_for)
        return [Job(recording(row), str(row["lease"])) for row in rows]

    async def renew(self, job: Job, *, lease_for: timedelta) -> bool:
        """Keep a job; False when the lease was lost."""
        async with self._database.acquire() as connection:
            kept = await connection.fetchval(self._queries.renew, job.entry.recording_id, job.lease, lease_for)
        return kept is not None

    async def finish(self, job: Job, outcome: Recording, beside: Sequence[Recording] = ()) -> bool:
        """Write the outcome and end the lease; False, and nothing written, when the lease was lost."""
        values = (
            outcome.state,
            outcome.next_attempt_at,
            outcome.reason,
            outcome.detail,
            outcome.object_key,
            outcome.sha256,
            outcome.size_bytes,
            audio_document(outcome.audio),
            outcome.stored_at,
            outcome.failures,
        )
        # One statement is a transaction by itself, and spares two round trips.
        place = self._database.transaction if beside else self._database.acquire
        async with place() as connection:
            written = await connection.fetchval(self._queries.finish, job.entry.recording_id, job.lease, *values)
            if written is not None and beside:
                await connection.execute(self._queries.add_found, [recording_document(entry) for entry in beside])
        return written is not None

    async def take_turn(self, account: str, every: timedelta) -> None:
        """Wait until it is this process's turn to ask the API of `account`, `every` so often over all processes."""
        async with self._database.acquire() as connection:
            wait: timedelta = await connection.fetchval(self._queries.take_turn, account, every)
        await asyncio.sleep(wait.total_seconds())

    async def untold(self, limit: int) -> Sequence[Fact]:
        """Return facts not yet marked as told, oldest first."""
        async with self._database.acquire() as connection:
            rows = await connection.fetch(self._queries.untold, limit)
        return [
            Fact(recording(row), row["revision"], row["order_id"], row["updated_at"], row["traceparent"])
            for row in rows
        ]

    async def mark_told(self, facts: Sequence[Fact]) -> None:
        """Note that these revisions are out."""
        ids, revisions = [fact.entry.recording_id for fact in facts], [fact.revision for fact in facts]
        async with self._database.acquire() as connection:
            await connection.execute(self._queries.mark_told, ids, revisions)

    async def backlog(self) -> dict[str, int]:
        """Return how many recordings are `ready`, `expected`, and `at_risk` of being deleted within a day."""
        async with self._database.acquire() as connection:
            row = await connection.fetchrow(self._queries.backlog)
        return dict(row) if row else {}

    async def make_months(self, now: datetime) -> None:
        """Make the partitions of last month to the month after next."""
        async with self._database.transaction() as connection:
            await connection.execute(self._queries.make_months, now)
