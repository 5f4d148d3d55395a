"""Reads of orders without locks; the statements stand in bindings.sql."""

from collections.abc import Sequence
from datetime import datetime

from asyncpg import Record

from fareline_chassis.coalesce import Coalesced
from fareline_chassis.postgres.pool import Database
from fareline_chassis.postgres.sql import load_queries
from order_binder.domain.orders import Order, OrderKey
from order_binder.outbound.documents import order_of
from order_binder.ports.reading import Found


class PostgresReader:
    """Answers the apps and call-router.

    Apps that wait for news ask for their orders again and again: however many they are, one statement at a time answers
    all that asked since the last one.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._queries = load_queries("order_binder.outbound", "bindings")
        self._input = load_queries("order_binder.outbound", "input")
        self._shown = Coalesced(self._read_shown)

    async def order(self, key: OrderKey) -> tuple[Order | None, datetime]:
        """Return an order and the database's time, neither older than the question."""
        row, now = await self._shown(key)
        return (None if row is None else order_of(row)), now

    async def _read_shown(self, keys: Sequence[OrderKey]) -> Sequence[tuple[Record | None, datetime]]:
        wanted = set(keys)
        async with self._database.acquire() as connection:
            rows = await connection.fetch(
                self._queries.shown_orders, [key.tenant for key in wanted], [key.order_id for key in wanted]
            )
        found = {OrderKey(row["tenant"], row["order_id"]): row for row in rows if row["tenant"] is not None}
        return [(found.get(key), rows[0]["now"]) for key in keys]

    async def find(self, tenant: str, *, phone: str | None, code: str | None, limit: int) -> Found:
        """Return the tenant's orders with a binding, not ended, that name the phone or the code; latest first."""
        async with self._database.acquire() as connection, connection.transaction(readonly=True):
            now = await connection.fetchval(self._queries.clock)
            input_as_of = await connection.fetchval(self._input.input_as_of)
            rows = await connection.fetch(self._queries.find_orders, tenant, phone, code)
        live = [order for order in map(order_of, rows) if not order.ended(now)]
        live.sort(key=lambda order: order.revision, reverse=True)
        return Found(orders=tuple(live[:limit]), as_of=now, input_as_of=input_as_of)
