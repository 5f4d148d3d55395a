"""The projection's tables in Postgres: events kept once, rows replaced by their newest fold, ledger entries."""

from collections import defaultdict
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager

from fareline_chassis.postgres.pool import Connection, Database
from fareline_chassis.postgres.sql import Queries, load_queries
from recording_ingest.domain.calls import CallRow
from recording_ingest.domain.events import CallEvent, event_from
from recording_ingest.domain.recordings import Recording
from recording_ingest.outbound.rows import call_document, recording, recording_document
from recording_ingest.ports import KeptEvent, Projection


class PostgresCallLog:
    """Keeps call events and what is folded from them."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._queries = load_queries("recording_ingest.outbound", "projection")

    @asynccontextmanager
    async def projection(self, batch: Sequence[KeptEvent]) -> AsyncIterator[Projection]:
        """Keep the batch, lock its calls in one order for all, and load what is known of them."""
        async with self._database.transaction() as connection:
            await self._keep(connection, batch)
            call_ids = sorted({kept.event.head.call_id for kept in batch})
            await connection.execute(self._queries.lock_calls, call_ids)
            stories: dict[str, list[CallEvent]] = defaultdict(list)
            for row in await connection.fetch(self._queries.stories, call_ids):
                stories[row["call_id"]].append(event_from(row["kind"], row["ce_id"], row["data"]))
            ledger: dict[str, list[Recording]] = defaultdict(list)
            for row in await connection.fetch(self._queries.ledger, call_ids):
                ledger[row["call_id"]].append(recording(row))
            yield _PostgresProjection(connection, self._queries, stories, ledger)

    async def _keep(self, connection: Connection, batch: Sequence[KeptEvent]) -> None:
        heads = [kept.event.head for kept in batch]
        await connection.execute(
            self._queries.keep_events,
            [head.account for head in heads],
            [head.ce_id for head in heads],
            [head.call_id for head in heads],
            [kept.kind for kept in batch],
            [head.at for head in heads],
            [head.received_at for head in heads],
            [kept.traceparent for kept in batch],
            [kept.data for kept in batch],
        )


class _PostgresProjection:
    def __init__(
        self,
        connection: Connection,
        queries: Queries,
        stories: Mapping[str, Sequence[CallEvent]],
        ledger: Mapping[str, Sequence[Recording]],
    ) -> None:
        self._connection = connection
        self._queries = queries
        self.stories = stories
        self.ledger = ledger

    async def save(self, rows: Sequence[CallRow], recordings: Sequence[Recording]) -> None:
        documents = [call_document(row) for row in rows]
        for query in (self._queries.drop_moved, self._queries.save_calls, self._queries.move_heads):
            await self._connection.execute(query, documents)
        if recordings:
            entries = [recording_document(entry) for entry in recordings]
            await self._connection.execute(self._queries.save_recordings, entries)
