"""Requests to forget somebody, in Postgres. People are found by the keyed hash of their phones, never by the phone."""

import uuid
from collections.abc import Sequence
from datetime import datetime, timedelta

from fareline_chassis.postgres.pool import Connection, Database
from fareline_chassis.postgres.sql import load_queries
from recording_ingest.domain.keeping import Person, Receipt
from recording_ingest.domain.recordings import Recording
from recording_ingest.outbound.phone_vault import PhoneVault
from recording_ingest.outbound.rows import recording

_LATE = timedelta(days=60)
_UNDER_WAY = timedelta(hours=3)


class PostgresErasures:
    """Takes people out of calls: what was sealed is destroyed, the rest of the row stays and names nobody."""

    def __init__(self, database: Database, vault: PhoneVault) -> None:
        self._database = database
        self._vault = vault
        self._queries = load_queries("recording_ingest.outbound", "erasures")

    async def ask(self, person: Person, *, actor: str, now: datetime, topics_clear_at: datetime) -> str:
        """Write the request down and return its id."""
        asked = str(uuid.uuid4())
        hashes = [each for phone in person.phones for each in self._vault.hashes(phone)]
        ids = (person.driver_id, person.client_id)
        async with self._database.acquire() as connection:
            await connection.execute(self._queries.ask, asked, person.tenant, actor, now, topics_clear_at, hashes, *ids)
        return asked

    async def receipt(self, erasure_id: str) -> Receipt | None:
        """Return what was done so far."""
        async with self._database.acquire() as connection:
            row = await connection.fetchrow(self._queries.receipt, erasure_id)
        return Receipt(**row) if row else None

    async def open(self, now: datetime) -> Sequence[str]:
        """Return the ids of requests that may find something; forget whom the others were about."""
        async with self._database.acquire() as connection:
            await connection.execute(self._queries.forget_whom, now)
            return [row["erasure_id"] for row in await connection.fetch(self._queries.open, now)]

    async def erase_some(self, erasure_id: str, limit: int) -> int:
        """Take the person out of at most `limit` calls that were before the request; return how many there were."""
        async with self._database.transaction() as connection:
            who = await connection.fetchrow(self._queries.who, erasure_id)
            if who is None:
                return 0
            query = self._queries.calls_of_person if who["whole"] else self._queries.changed_calls_of_person
            rows = await connection.fetch(query, *list(who.values())[:5])
            found = sorted(row["call_id"] for row in rows if not row["held"])[:limit]
            gone = await self._erase(connection, found)
            await connection.execute(self._queries.note_calls, found, erasure_id)
            held = sum(row["held"] for row in rows)
            await connection.execute(self._queries.count, erasure_id, len(found), gone, held)
        return len(found)

    async def erase_late(self, now: datetime, limit: int) -> int:
        """Take out again what arrived late for calls that were erased; return how many calls that concerned."""
        async with self._database.transaction() as connection:
            rows = await connection.fetch(self._queries.late_calls, now - _LATE, limit)
            found = [row["call_id"] for row in rows]
            await self._erase(connection, found)
        return len(found)

    async def finish(self, erasure_id: str, now: datetime) -> None:
        """Note that nothing is left to do, apart from what a hold keeps."""
        async with self._database.acquire() as connection:
            await connection.execute(self._queries.finish, erasure_id, now)

    async def recently_erased(self, now: datetime) -> Sequence[Recording]:
        """Return recordings of calls erased within the last hours, whose downloads may have been under way."""
        async with self._database.acquire() as connection:
            rows = await connection.fetch(self._queries.recently_erased, now - _UNDER_WAY)
        return [recording(row) for row in rows]

    async def _erase(self, connection: Connection, call_ids: Sequence[str]) -> int:
        if not call_ids:
            return 0
        await connection.execute(self._queries.lock_calls, call_ids)
        await connection.execute(self._queries.erase_events, call_ids)
        await connection.execute(self._queries.erase_calls, call_ids)
        return len(await connection.fetch(self._queries.erase_recordings, call_ids))
