"""The rows that publication sends and marks; the statements stand in publication.sql.

A process publishes many partitions, and one notification wakes them all: what their publishers ask and tell at the same
moment is one statement.
"""

from collections.abc import Callable, Sequence
from datetime import datetime

from asyncpg import Record

from fareline_chassis.coalesce import Coalesced
from fareline_chassis.kafka.records import OutRecord
from fareline_chassis.logs import get_logger
from fareline_chassis.postgres.pool import Database
from fareline_chassis.postgres.sql import load_queries
from fareline_chassis.publication.source import Publishable
from fareline_contracts.bindings import binding_key
from order_binder.outbound.publication_reads import Clock, Pages, SharedTime, publication_queries
from order_binder.outbound.published_records import (
    binding_publishable,
    heartbeat_record,
    number_publishable,
    tenant_publishable,
)

Mark = tuple[bytes, int]
"""What a publisher has sent: (key, revision)."""

log = get_logger(__name__)


class BindingSource:
    """Bindings in the order table.

    `published` is told the seconds between writing and acknowledgement, `unpublishable` of a row that cannot be sent.
    """

    def __init__(
        self,
        database: Database,
        partitions: int,
        *,
        published: Callable[[float], None],
        unpublishable: Callable[[], None] = lambda: None,
    ) -> None:
        self._database = database
        self._partitions = partitions
        self._published = published
        self._unpublishable = unpublishable
        self._queries = queries = publication_queries()
        self._now = Clock(database, queries)
        self._read = Pages(database, queries.unpublished_bindings, partitions)
        self._marking = Coalesced(self._mark)

    async def now(self) -> datetime:
        """Return the database's clock."""
        return await self._now()

    async def unpublished(self, partition: int, limit: int) -> Sequence[Publishable]:
        """Return bindings whose published revision differs from their revision, in the order of their keys' hashes."""
        return self._readable(await self._read(partition, limit))

    async def mark(self, published: Sequence[Mark]) -> None:
        """Set the published revision, unless a higher one is already published."""
        await self._marking(published)

    async def _mark(self, told: Sequence[Sequence[Mark]]) -> Sequence[None]:
        published = [mark for marks in told for mark in marks]
        tenants, order_ids = _keys([key for key, _ in published])
        async with self._database.acquire() as connection:
            rows = await connection.fetch(
                self._queries.mark_bindings, tenants, order_ids, [revision for _, revision in published]
            )
        for row in rows:
            self._published(row["delay_s"])
        return [None] * len(told)

    async def mark_dirty(self, keys: Sequence[bytes]) -> Sequence[bytes]:
        """Give these rows a new revision, to be published; return those that somebody has locked."""
        async with self._database.acquire() as connection:
            locked = await connection.fetch(self._queries.dirty_bindings, *_keys(keys))
        return [binding_key(row["tenant"], row["order_id"]) for row in locked]

    async def live(self, partition: int, after: bytes | None, limit: int) -> Sequence[Publishable]:
        """Return bindings in the order of tenant and order id, from `after` on."""
        (tenant,), (order_id,) = _keys([after or b"/"])
        async with self._database.acquire() as connection:
            rows = await connection.fetch(
                self._queries.live_bindings, self._partitions, partition, tenant, order_id, limit
            )
        return self._readable(rows)

    def _readable(self, rows: Sequence[Record]) -> list[Publishable]:
        """Return what can be made records; a row that cannot must not hold up its neighbours."""
        found = []
        for row in rows:
            try:
                found.append(binding_publishable(row))
            except Exception:
                log.exception("binding.unpublishable", tenant=row["tenant"], order_id=row["order_id"])
                self._unpublishable()
        return found


class RegistrySource:
    """Tenants, or numbers: tables whose key is one column."""

    def __init__(
        self, database: Database, partitions: int, *, table: str, publishable: Callable[[Record], Publishable]
    ) -> None:
        """`table` is `tenants` or `numbers`."""
        queries = publication_queries()
        self._database = database
        self._partitions = partitions
        self._publishable = publishable
        self._now = Clock(database, queries)
        self._read = Pages(database, getattr(queries, f"unpublished_{table}"), partitions)
        self._mark = getattr(queries, f"mark_{table}")
        self._dirty = getattr(queries, f"dirty_{table}")
        self._live = getattr(queries, f"live_{table}")

    async def now(self) -> datetime:
        """Return the database's clock."""
        return await self._now()

    async def unpublished(self, partition: int, limit: int) -> Sequence[Publishable]:
        """Return rows whose published revision differs from their revision."""
        return [self._publishable(row) for row in await self._read(partition, limit)]

    async def mark(self, published: Sequence[Mark]) -> None:
        """Set the published revision, unless a higher one is already published."""
        async with self._database.acquire() as connection:
            await connection.execute(
                self._mark, [key.decode() for key, _ in published], [revision for _, revision in published]
            )

    async def mark_dirty(self, keys: Sequence[bytes]) -> Sequence[bytes]:
        """Give these rows a new revision, to be published; return those that somebody has locked."""
        async with self._database.acquire() as connection:
            locked = await connection.fetch(self._dirty, [key.decode() for key in keys])
        return [key.encode() for (key,) in locked]

    async def live(self, partition: int, after: bytes | None, limit: int) -> Sequence[Publishable]:
        """Return rows in key order, from `after` on."""
        async with self._database.acquire() as connection:
            rows = await connection.fetch(self._live, self._partitions, partition, (after or b"").decode(), limit)
        return [self._publishable(row) for row in rows]


def tenant_source(database: Database, partitions: int) -> RegistrySource:
    """Return the tenants as a source."""
    return RegistrySource(database, partitions, table="tenants", publishable=tenant_publishable)


def number_source(database: Database, partitions: int) -> RegistrySource:
    """Return the numbers as a source."""
    return RegistrySource(database, partitions, table="numbers", publishable=number_publishable)


class BindingHeartbeats:
    """Makes the heartbeats of the bindings topic."""

    def __init__(self, database: Database) -> None:
        self._input_as_of = SharedTime(database, load_queries("order_binder.outbound", "input").input_as_of)

    async def __call__(self, partition: int, epoch: int, as_of: datetime) -> OutRecord | None:
        """Return the heartbeat, None while nobody knows how far the input is processed."""
        input_as_of = await self._input_as_of()
        return None if input_as_of is None else heartbeat_record(partition, epoch, as_of, input_as_of)


def _keys(keys: Sequence[bytes]) -> tuple[list[str], list[str]]:
    parts = [key.decode().partition("/") for key in keys]
    return [tenant for tenant, _, _ in parts], [order_id for _, _, order_id in parts]
