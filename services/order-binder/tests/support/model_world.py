"""order-binder on a real PostgreSQL whose clock the test moves, with a bindings topic in memory."""

import random
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

from model_events import MAIN, POOL
from model_orders import Rules
from model_topic import MemoryTopic

from fareline_chassis.health import HealthComponent
from fareline_chassis.postgres.pool import Database
from fareline_chassis.publication.keeper import Lease
from fareline_chassis.publication.publisher import Figures, PartitionPublisher
from fareline_contracts.bindings import BindingRecord
from order_binder.domain.numbers import NumberRole, NumberState
from order_binder.outbound.bindings import PostgresBindings
from order_binder.outbound.documents import order_of
from order_binder.outbound.publication import BindingSource
from order_binder.outbound.reading import PostgresReader
from order_binder.outbound.registry import PostgresRegistry
from order_binder.outbound.schema import Schema
from order_binder.ports.registry import NumberEntry, TenantEntry
from order_binder.records import binding_record
from order_binder.usecases.ingest_orders import IngestOrders
from order_binder.usecases.sweep_windows import SweepWindows

BEGINNING = datetime(2026, 11, 24, 10, 0, tzinfo=UTC)
PARTITIONS = 2
TABLES = ("orders", "slots", "codes", "input_progress", "numbers", "tenants")
CODES = [f"{number:06d}" for number in random.Random(7).sample(range(1_000_000), 150)]
# A function of this name in a schema before pg_catalog: every statement of order-binder then asks the test's clock.
CLOCK = """
CREATE SCHEMA testing;
CREATE TABLE testing.clock (now timestamptz NOT NULL);
INSERT INTO testing.clock VALUES ('2026-11-24T10:00:00Z');
CREATE FUNCTION testing.clock_timestamp() RETURNS timestamptz LANGUAGE sql VOLATILE AS 'SELECT now FROM testing.clock';
"""
ORDERS = """
SELECT tenant, order_id, version, status, revision, document, traceparent, caused_at, updated_at, published_revision
FROM order_binder.orders ORDER BY tenant, order_id
"""


class World:
    """One process after another on one database. `now` is what its clock says."""

    def __init__(self, dsn: str) -> None:
        self._dsn = dsn
        self._rng = random.Random(1)
        self.now = BEGINNING

    async def build(self) -> None:
        """Make the schema and the clock."""
        await Schema(self._dsn).migrate("all")
        self.database = Database(
            self._dsn, 1, 4, HealthComponent("postgres"), search_path="testing, pg_catalog, public"
        )
        await self.database.connect()
        async with self.database.acquire() as connection:
            await connection.execute(CLOCK)

    async def close(self) -> None:
        await self.database.close()

    async def empty(self, seed: int) -> None:
        """Begin anew, with nothing known."""
        async with self.database.acquire() as connection:
            for table in TABLES:
                await connection.execute(f"DELETE FROM order_binder.{table}")
        self._rng.seed(seed)
        self.topic = MemoryTopic(PARTITIONS)
        self.registry, self.reader = PostgresRegistry(self.database), PostgresReader(self.database)
        await self.set_clock(BEGINNING)
        self.restart()

    def restart(self) -> None:
        """Start the next process: nothing is remembered but what stands in the database and in the topic."""
        self.topic.read_again()
        self.source = BindingSource(self.database, PARTITIONS, published=lambda delay: None, unpublishable=lambda: None)
        store = PostgresBindings(self.database)
        self.ingest, self.sweep = IngestOrders(store, self._below), SweepWindows(store, batch=3)
        self.publishers = [self._publisher(partition) for partition in range(PARTITIONS)]

    def _publisher(self, partition: int) -> PartitionPublisher:
        return PartitionPublisher(
            partition,
            topic="fareline.bindings.v1",
            source=self.source,
            sender=self.topic,
            lease=lambda: Lease(partition, 1, float("inf")),
            last_records=self.topic.readers[partition],
            figures=Figures(page=2),
            monotonic=lambda: 0.0,
        )

    def _below(self, ceiling: int) -> int:
        """Draw, codes from a few only, so that they collide."""
        return int(self._rng.choice(CODES)) % ceiling if ceiling >= 1_000_000 else self._rng.randrange(ceiling)

    async def set_clock(self, now: datetime) -> None:
        self.now = now
        async with self.database.acquire() as connection:
            await connection.execute("UPDATE testing.clock SET now = $1", now)

    async def pass_time(self, span: timedelta) -> None:
        await self.set_clock(self.now + span)

    async def put_tenant(self, tenant: str, policy: dict) -> None:
        await self.registry.put_tenant(TenantEntry(tenant, "RU", policy, ()))

    async def furnish(self, rules: Mapping[str, Rules]) -> None:
        """Give each tenant of the small world its rules and its numbers."""
        for tenant, numbers in POOL.items():
            await self.put_tenant(tenant, rules[tenant].document())
            for e164 in numbers:
                await self.put_number(tenant, e164, "pool")
            if tenant in MAIN:
                await self.put_number(tenant, MAIN[tenant], "main")

    async def put_number(self, tenant: str, e164: str, role: str, state: str = "active") -> None:
        entry = NumberEntry(e164, tenant, NumberRole(role), NumberState(state), True, None, None)
        await self.registry.put_number(entry)

    async def orders(self) -> dict:
        """Return every order that the database knows."""
        async with self.database.acquire() as connection:
            rows = await connection.fetch(ORDERS)
        return {str(order.key): order for order in map(order_of, rows)}

    async def settle(self) -> None:
        """Let everything under way land, and publish until nothing is left to do."""
        self.topic.land()
        for _ in range(50):
            before = len(self.topic.log)
            for publisher in self.publishers:
                while await publisher.step():
                    pass
            if len(self.topic.log) == before:
                return
        raise AssertionError("publication never comes to rest")


def record_of(order) -> BindingRecord | None:
    """Return an order's binding as others see it."""
    return binding_record(order, order.updated_at)
