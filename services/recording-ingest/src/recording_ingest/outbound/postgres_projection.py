"""The projection's tables in Postgres: events kept once, rows replaced by their newest fold, ledger entries."""

from collections import defaultdict
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import datetime

from fareline_chassis.postgres.pool import Connection, Database
from fareline_chassis.postgres.sql import Queries, load_queries
from recording_ingest.domain.calls import CallRow
from recording_ingest.domain.events import CallEvent
from recording_ingest.domain.recordings import Recording
from recording_ingest.outbound.call_rows import call_document, event, event_columns
from recording_ingest.outbound.phone_vault import PhoneVault
from recording_ingest.outbound.rows import recording, recording_document
from recording_ingest.outbound.sealed_addresses import sealed_address
from recording_ingest.ports.calls import KeptEvent, Projection


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
            ledger: dict[str, list[Recording]] = defaultdict(list)
            for fresh in news:
                stories[fresh.head.call_id].append(fresh)
            call_ids = sorted(stories)
            places: dict[str, datetime | None] = {}
            if call_ids:
                heads = await connection.fetch(self._queries.lock_calls, call_ids)
                places = {row["call_id"]: row["started_at"] for row in heads}
                known = await connection.fetch(self._queries.stories, call_ids, [fresh.head.ce_id for fresh in news])
                for row in known:
                    stories[row["call_id"]].append(event(row, self._vault))
                for row in await connection.fetch(self._queries.ledger, call_ids):
                    ledger[row["call_id"]].append(recording(row))
            projection = _PostgresProjection(connection, self._queries, self._vault, places)
            projection.stories, projection.ledger = stories, ledger
            yield projection

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
                recording_document(replace(entry, url=sealed_address(entry.url, entry.call_id, self._vault)))
                for entry in recordings
            ]
            await self._connection.execute(self._queries.save_recordings, entries)
