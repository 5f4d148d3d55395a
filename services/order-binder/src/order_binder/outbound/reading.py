"""Reads of orders without locks; the statements stand in bindings.sql."""

from datetime import datetime

from fareline_chassis.postgres.pool import Database
from fareline_chassis.postgres.sql import load_queries
from order_binder.domain.orders import Order, OrderKey
from order_binder.outbound.documents import order_of
from order_binder.ports.reading import Found


class PostgresReader:
    """Answers the apps and call-router."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._queries = load_queries("order_binder.outbound", "bindings")
        self._input = load_queries("order_binder.outbound", "input")

    async def order(self, key: OrderKey) -> tuple[Order | None, datetime]:
        """Return an order and the database's time."""
        async with self._database.acquire() as connection:
            now = await connection.fetchval(self._queries.clock)
            row = await connection.fetchrow(self._queries.one_order, key.tenant, key.order_id)
        return (None if row is None else order_of(row)), now

    async def find(self, tenant: str, *, phone: str | None, code: str | None, limit: int) -> Found:
        """Return the tenant's orders with a binding, not ended, that name the phone or the code; latest first."""
        async with self._database.acquire() as connection, connection.transaction(readonly=True):
            now = await connection.fetchval(self._queries.clock)
            input_as_of = await connection.fetchval(self._input.input_as_of)
            rows = await connection.fetch(self._queries.find_orders, tenant, phone, code)
        live = [order for order in map(order_of, rows) if not order.ended(now)]
        live.sort(key=lambda order: order.revision, reverse=True)
        return Found(orders=tuple(live[:limit]), as_of=now, input_as_of=input_as_of)
