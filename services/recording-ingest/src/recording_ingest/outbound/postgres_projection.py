"""The projection's tables in Postgres: events kept once, rows replaced by their newest fold, ledger entries."""

from collections import defaultdict
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import datetime

from fareline_chassis.postgres.pool import Connection, Database
from fareline_chassis.postgres.sql import Queries, load_queries
from recording_ingest.domain.calls import CallRow
from recording_ingest.domain.events import CallEvent
from recording_ingest.domain.recordings import Recording
from recording_ingest.outbound.call_rows import call_document, event, event_columns, listed
from recording_ingest.outbound.phone_vault import PhoneVault
from recording_ingest.outbound.rows import recording, recording_document
from recording_ingest.outbound.sealed_addresses import sealed_address
from recording_ingest.ports.calls import KeptEvent, Projection, Refolding


class PostgresCallLog:
    """Keeps call events and what is folded from them; nobody's phone stands in either as it is."""

    def __init__(self, database: Database, vault: PhoneVault) -> None:
        self._database = database
        self._vault = vault
        self._queries = load_queries("recording_ingest.outbound", "projection")

    @asynccontextmanager
    async def projection(self, batch: Sequence[KeptEvent]) -> AsyncIterator[Projection]:
        """Keep the batch, lock the calls it brings news of in one order for all, and load what is known of them."""
        async with self._database.transaction() as connection:
            news = await self._keep(connection, _once_each(batch))
            stories: dict[str, list[CallEvent]] = defaultdict(list)
            for fresh in news:
                stories[fresh.head.call_id].append(fresh)
            ids = sorted(stories)
            projection = await self._locked(connection, ids)
            if ids:
                await self._load(connection, stories, [fresh.head.ce_id for fresh in news])
                projection.ledger = await self._ledger(connection, ids)
            projection.stories = stories
            yield projection

    async def calls_after(self, call_id: str, limit: int) -> Sequence[str]:
        """Return the ids of the next calls of which events are kept, in their order."""
        async with self._database.acquire() as connection:
            return [row["call_id"] for row in await connection.fetch(self._queries.calls_after, call_id, limit)]

    @asynccontextmanager
    async def again(self, call_ids: Sequence[str]) -> AsyncIterator[Refolding]:
        """Lock calls, and load their events and their rows as they stand."""
        async with self._database.transaction() as connection:
            projection = await self._locked(connection, sorted(call_ids))
            stories: dict[str, list[CallEvent]] = {call_id: [] for call_id in call_ids}
            await self._load(connection, stories, [])
            projection.stories = {call_id: story for call_id, story in stories.items() if story}
            rows = await connection.fetch(self._queries.rows, call_ids)
            projection.rows = {row["call_id"]: listed(row, self._vault).row for row in rows}
            yield projection

    async def _locked(self, connection: Connection, call_ids: Sequence[str]) -> "_PostgresProjection":
        """Lock calls in one order for all."""
        heads = await connection.fetch(self._queries.lock_calls, call_ids) if call_ids else []
        places = {row["call_id"]: row["started_at"] for row in heads}
        return _PostgresProjection(connection, self._queries, self._vault, places)

    async def _ledger(self, connection: Connection, call_ids: Sequence[str]) -> Mapping[str, Sequence[Recording]]:
        ledger: dict[str, list[Recording]] = defaultdict(list)
        for row in await connection.fetch(self._queries.ledger, call_ids):
            ledger[row["call_id"]].append(recording(row))
        return ledger

    async def _load(self, connection: Connection, stories: Mapping[str, list[CallEvent]], but: Sequence[str]) -> None:
        for row in await connection.fetch(self._queries.stories, list(stories), but):
            stories[row["call_id"]].append(event(row, self._vault))

    async def _keep(self, connection: Connection, batch: Sequence[KeptEvent]) -> Sequence[CallEvent]:
        heads = [kept.event.head for kept in batch]
        columns = [event_columns(kept, self._vault) for kept in batch]
        written = await connection.fetch(
            self._queries.keep_events,
            [head.account for head in heads],
            [head.ce_id for head in heads],
            [head.call_id for head in heads],
            [kept.kind for kept in batch],
            [head.at for head in heads],
            [head.received_at for head in heads],
            [kept.traceparent for kept in batch],
            [plain for plain, _ in columns],
            [sealed for _, sealed in columns],
        )
        news = {(row["account"], row["ce_id"]) for row in written}
        return [kept.event for kept in batch if (kept.event.head.account, kept.event.head.ce_id) in news]


def _once_each(batch: Sequence[KeptEvent]) -> Sequence[KeptEvent]:
    unique: dict[tuple[str, str], KeptEvent] = {}
    for kept in sorted(batch, key=lambda kept: kept.event.head.received_at):
        unique.setdefault((kept.event.head.account, kept.event.head.ce_id), kept)
    return list(unique.values())


class _PostgresProjection:
    def __init__(
        self,
        connection: Connection,
        queries: Queries,
        vault: PhoneVault,
        places: Mapping[str, datetime | None],
    ) -> None:
        self._connection = connection
        self._queries = queries
        self._vault = vault
        self._places = places
        self.stories: Mapping[str, Sequence[CallEvent]] = {}
        self.ledger: Mapping[str, Sequence[Recording]] = {}
        self.rows: Mapping[str, CallRow] = {}

    async def save(self, rows: Sequence[CallRow], recordings: Sequence[Recording]) -> None:
        documents = [call_document(row, self._vault) for row in rows]
        placed = [row for row in rows if self._places.get(row.call_id) != row.started_at]
        moved = [row for row in placed if self._places.get(row.call_id)]
        if moved:
            old = [self._places[row.call_id] for row in moved]
            await self._connection.execute(self._queries.drop_moved, [row.call_id for row in moved], old)
        if documents:
            await self._connection.execute(self._queries.save_calls, documents)
        if placed:
            ids, new = [row.call_id for row in placed], [row.started_at for row in placed]
            await self._connection.execute(self._queries.move_heads, ids, new)
        if recordings:
            entries = [
                recording_document(entry) | {"url": sealed_address(entry.url, entry.call_id, self._vault)}
                for entry in recordings
            ]
            await self._connection.execute(self._queries.save_recordings, entries)
