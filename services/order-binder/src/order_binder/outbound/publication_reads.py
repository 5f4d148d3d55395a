"""What publishers read, once for all of them that ask at the same moment."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime

from asyncpg import Record

from fareline_chassis.coalesce import Coalesced
from fareline_chassis.postgres.pool import Connection, Database
from fareline_chassis.postgres.sql import Queries, load_queries

Page = tuple[int, int]
"""What a publisher asks for: (partition, at most so many rows)."""


def publication_queries() -> Queries:
    """Return the statements of publication."""
    return load_queries("order_binder.outbound", "publication")


class SharedTime:
    """A time that a statement of one value tells, read once for all who ask at the same moment."""

    def __init__(self, database: Database, query: str) -> None:
        self._database = database
        self._query = query
        self._reading = Coalesced(self._read)

    async def __call__(self) -> datetime | None:
        """Return the time as it stands now, not before it was asked for; None where the statement knows none."""
        return await self._reading(None)

    async def _read(self, asked: Sequence[None]) -> Sequence[datetime | None]:
        async with self._database.acquire() as connection:
            found: datetime | None = await connection.fetchval(self._query)
        return [found] * len(asked)


class Clock:
    """The database's clock, read once for all who ask at the same moment."""

    def __init__(self, database: Database, queries: Queries) -> None:
        self._read = SharedTime(database, queries.clock)

    async def __call__(self) -> datetime:
        """Return the time now, not before it was asked for."""
        now = await self._read()
        assert now is not None
        return now


class Pages:
    """Unpublished rows, read once for all partitions that are asked for at the same moment.

    `query` takes how many partitions there are, which of them are wanted and a limit; its rows say their `partition`.
    """

    def __init__(self, database: Database, query: str, partitions: int) -> None:
        self._database = database
        self._query = query
        self._partitions = partitions
        self._reading = Coalesced(self._read)

    async def __call__(self, partition: int, limit: int) -> Sequence[Record]:
        """Return rows of one partition; fewer than `limit` means that there are no others."""
        return await self._reading((partition, limit))

    async def _read(self, asked: Sequence[Page]) -> Sequence[Sequence[Record]]:
        limit = min(limit for _, limit in asked)
        async with self._database.acquire() as connection:
            rows = await self._fetch(connection, [partition for partition, _ in asked], limit)
            if len(asked) > 1 and len(rows) >= limit:
                # There is more than one page of it: now each partition needs a page of its own.
                return [await self._fetch(connection, [partition], limit) for partition, limit in asked]
        found: defaultdict[int, list[Record]] = defaultdict(list)
        for row in rows:
            found[row["partition"]].append(row)
        return [found[partition] for partition, _ in asked]

    async def _fetch(self, connection: Connection, partitions: Sequence[int], limit: int) -> list[Record]:
        return await connection.fetch(self._query, self._partitions, list(partitions), limit)
