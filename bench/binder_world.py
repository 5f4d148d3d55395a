"""order-binder on a bare database: its tenants and numbers, its consumer without Kafka, and statements played again."""

import asyncio
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any

from opentelemetry.trace import NoOpTracer
from prometheus_client import CollectorRegistry

from bench.binder_events import NUMBERS, TENANTS, number_of
from fareline_chassis.clock import utc_now
from fareline_chassis.health import HealthComponent
from fareline_chassis.postgres.pool import Connection, Database
from fareline_chassis.tracing import Tracing
from order_binder.inbound.alarms import TenantAlarms
from order_binder.inbound.kafka import OrderConsumer
from order_binder.inbound.metrics import BinderMetrics
from order_binder.inbound.refusals import FailureWatch
from order_binder.outbound.bindings import PostgresBindings
from order_binder.outbound.session import order_database
from order_binder.usecases.ingest_orders import IngestOrders

TENANT = "INSERT INTO order_binder.tenants VALUES ($1, 'RU', $2, '{}', 1, 1, 0, clock_timestamp())"
FURNISHED = """
INSERT INTO order_binder.numbers (e164, tenant, role, state, asks_code, withdrawn, revision, published_revision,
                                  key_hash, updated_at)
SELECT * FROM unnest($1::text[], $2::text[], $3::text[]) AS n (e164, tenant, role)
CROSS JOIN (VALUES ('active', true, false, 1::bigint, 1::bigint, 0, clock_timestamp())) AS rest
"""
Step = tuple[str, str, tuple[Any, ...]]


async def furnish(dsn: str) -> None:
    """Create the bench's tenants, each with a pool and a main number."""
    database = await connected(dsn)
    pool = [
        (number_of(tenant, index), f"bench-{tenant}", "pool") for tenant in range(TENANTS) for index in range(NUMBERS)
    ]
    main = [(number_of(tenant, 9999), f"bench-{tenant}", "main") for tenant in range(TENANTS)]
    async with database.acquire() as connection:
        await connection.executemany(TENANT, [(f"bench-{tenant}", {}) for tenant in range(TENANTS)])
        await connection.execute(FURNISHED, *(list(column) for column in zip(*pool, *main, strict=True)))
    await database.close()


async def connected(dsn: str) -> Database:
    """Return an open pool."""
    database = order_database(dsn, 1, 4, HealthComponent("postgres"), name="bench")
    await database.connect()
    return database


def consumer_on(database: "Database | Recorder") -> OrderConsumer:
    """Return the consumer that order-binder hands its batches to."""
    metrics = BinderMetrics(CollectorRegistry())

    async def refuse(records: Sequence[object]) -> None:
        raise RuntimeError(f"{len(records)} events of the bench are refused")

    return OrderConsumer(
        ingest=IngestOrders(PostgresBindings(database), secrets.randbelow),  # type: ignore[arg-type]
        put_aside=refuse,
        metrics=metrics,
        alarms=TenantAlarms(metrics),
        clock=utc_now,
        watch=FailureWatch(),
        tracing=Tracing(NoOpTracer()),
    )


class Recorder:
    """A database that writes down every statement, batch after batch, as they are played then."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._one_by_one = asyncio.Lock()
        self.tapes: list[list[Step]] = []

    @asynccontextmanager
    async def acquire(self) -> AsyncIterator["_Taped"]:
        """Take a connection and begin a tape."""
        async with self._one_by_one, self._database.acquire() as connection:
            tape: list[Step] = []
            self.tapes.append(tape)
            yield _Taped(connection, tape)


class _Taped:
    def __init__(self, connection: Connection, tape: list[Step]) -> None:
        self._connection, self._tape = connection, tape

    def __getattr__(self, method: str) -> Callable[..., Awaitable[Any]]:
        run = getattr(self._connection, method)

        async def taped(query: str, *arguments: object) -> object:
            # The one time among them says how old what was read is, which is not to be judged when it is played.
            played = tuple(None if isinstance(argument, datetime) else argument for argument in arguments)
            self._tape.append((method, query, played))
            return await run(query, *arguments)

        return taped


async def play(database: Database, tapes: Sequence[Sequence[Step]]) -> None:
    """Issue the statements of the tapes again, with the values they had: nothing is decided any more."""
    for tape in tapes:
        async with database.acquire() as connection:
            for method, query, arguments in tape:
                await getattr(connection, method)(query, *arguments)
