"""Retention and legal holds in Postgres."""

from collections.abc import Sequence
from datetime import datetime

from fareline_chassis.postgres.pool import Database
from fareline_chassis.postgres.sql import load_queries
from recording_ingest.domain.keeping import Due, Hold, Retention


class PostgresKeeping:
    """What is kept for how long, and which calls are held. `defaults` count for tenants that set nothing."""

    def __init__(self, database: Database, defaults: Retention) -> None:
        self._database = database
        self._defaults = defaults
        self._queries = load_queries("recording_ingest.outbound", "keeping")

    async def save_policy(self, tenant: str, revision: int, retention: Retention) -> None:
        """Keep a tenant's policy unless a newer one is known."""
        days = (retention.recording_days, retention.call_days)
        async with self._database.acquire() as connection:
            await connection.execute(self._queries.save_policy, tenant, revision, *days)

    async def due(self, now: datetime) -> Sequence[Due]:
        """Return what retention would remove now, by tenant."""
        days = (self._defaults.recording_days, self._defaults.call_days)
        async with self._database.acquire() as connection:
            return [Due(**row) for row in await connection.fetch(self._queries.due, now, *days)]

    async def let_recordings_go(self, now: datetime, limit: int) -> int:
        """Mark recordings whose time is over as deleted; return how many."""
        async with self._database.acquire() as connection:
            days = self._defaults.recording_days
            return len(await connection.fetch(self._queries.let_recordings_go, now, days, limit))

    async def old_calls(self, now: datetime, limit: int) -> Sequence[str]:
        """Return calls whose time is over and that nobody holds, each tenant's oldest first."""
        async with self._database.acquire() as connection:
            rows = await connection.fetch(self._queries.old_calls, now, self._defaults.call_days, limit)
        return [row["call_id"] for row in rows]

    async def let_audio_go(self, call_ids: Sequence[str]) -> int:
        """Mark every recording of these calls as deleted; return how many were stored."""
        async with self._database.acquire() as connection:
            rows = await connection.fetch(self._queries.let_audio_go, list(call_ids))
        return sum(row["had_audio"] for row in rows)

    async def let_calls_go(self, call_ids: Sequence[str]) -> int:
        """Remove those of these calls whose audio is gone and that nobody holds; return how many."""
        async with self._database.transaction() as connection:
            rows = await connection.fetch(self._queries.lock_without_audio, list(call_ids))
            found = [row["call_id"] for row in rows]
            for name in ("drop_recordings", "drop_events", "drop_calls", "drop_heads"):
                await connection.execute(getattr(self._queries, name), found)
        return len(found)

    async def to_purge(self, limit: int) -> Sequence[str]:
        """Return keys of objects whose recordings are deleted."""
        async with self._database.acquire() as connection:
            return [row["object_key"] for row in await connection.fetch(self._queries.to_purge, limit)]

    async def purged(self, keys: Sequence[str]) -> None:
        """Note that these objects are gone."""
        async with self._database.acquire() as connection:
            await connection.execute(self._queries.purged, list(keys))

    async def orphans(self, keys: Sequence[str]) -> Sequence[str]:
        """Return those keys that no recording names or may still come to name."""
        async with self._database.acquire() as connection:
            return [row["key"] for row in await connection.fetch(self._queries.orphans, list(keys))]

    async def hold(self, call_id: str) -> Hold | None:
        """Return the hold on a call."""
        async with self._database.acquire() as connection:
            row = await connection.fetchrow(self._queries.hold, call_id)
        return Hold(**row) if row else None

    async def holds(self, tenants: Sequence[str] | None) -> Sequence[Hold]:
        """Return the holds of some tenants (None: of all), the oldest 1000."""
        async with self._database.acquire() as connection:
            wanted = None if tenants is None else list(tenants)
            return [Hold(**row) for row in await connection.fetch(self._queries.holds, wanted)]

    async def place_hold(self, hold: Hold) -> bool:
        """Put a call on hold; False where it was already, which stays as it was."""
        values = (hold.call_id, hold.tenant, hold.reason, hold.actor, hold.since)
        async with self._database.acquire() as connection:
            return await connection.fetchval(self._queries.place_hold, *values) is not None

    async def lift_hold(self, call_id: str, *, actor: str, now: datetime) -> bool:
        """Let a call go; False where there was no hold."""
        async with self._database.acquire() as connection:
            return await connection.fetchval(self._queries.lift_hold, call_id, actor, now) is not None
