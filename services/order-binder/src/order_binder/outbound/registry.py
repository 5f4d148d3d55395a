"""Tenants and numbers in PostgreSQL; the statements stand in registry.sql."""

from asyncpg import Record

from fareline_chassis.kafka.partitioner import partition_for
from fareline_chassis.postgres.pool import Database
from fareline_chassis.postgres.sql import load_queries
from order_binder.domain.numbers import NumberRole, NumberState
from order_binder.outbound.bindings import HASHES
from order_binder.ports import NumberEntry, NumberHeldElsewhere, NumberInUse, NumberIsAPhone, TenantEntry


class PostgresRegistry:
    """Keeps tenants and their numbers."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._queries = load_queries("order_binder.outbound", "registry")

    async def put_tenant(self, entry: TenantEntry) -> TenantEntry:
        """Create or replace a tenant and return it with its new revision."""
        key_hash = partition_for(entry.tenant.encode(), HASHES)
        async with self._database.transaction() as connection:
            rows = await connection.fetch(
                self._queries.put_tenant, entry.tenant, entry.region, dict(entry.policy), list(entry.staff), key_hash
            )
            await connection.execute(self._queries.wake_publishers)
        return tenant_of(rows[0])

    async def tenant(self, tenant: str) -> TenantEntry | None:
        """Return a tenant."""
        async with self._database.acquire() as connection:
            row = await connection.fetchrow(self._queries.tenant, tenant)
        return None if row is None else tenant_of(row)

    async def put_number(self, entry: NumberEntry) -> NumberEntry:
        """Create or replace a number. Raises NumberHeldElsewhere, NumberIsAPhone."""
        async with self._database.transaction() as connection:
            row = await connection.fetchrow(
                self._queries.put_number,
                entry.e164,
                entry.tenant,
                entry.role.value,
                entry.state.value,
                entry.asks_code,
                entry.city,
                entry.default_route,
                partition_for(entry.e164.encode(), HASHES),
            )
            if row is None:
                raise NumberHeldElsewhere
            if await connection.fetchval(self._queries.is_a_phone, entry.e164):
                raise NumberIsAPhone
            await connection.execute(self._queries.wake_publishers)
        return number_of(row)

    async def number(self, tenant: str, e164: str) -> NumberEntry | None:
        """Return a number of a tenant."""
        async with self._database.acquire() as connection:
            row = await connection.fetchrow(self._queries.number, tenant, e164)
        return None if row is None else number_of(row)

    async def numbers(self, tenant: str) -> list[NumberEntry]:
        """Return the numbers of a tenant, by E.164."""
        async with self._database.acquire() as connection:
            return [number_of(row) for row in await connection.fetch(self._queries.numbers, tenant)]

    async def withdraw_number(self, tenant: str, e164: str) -> bool:
        """Take a number out of the inventory, False where there is none. Raises NumberInUse."""
        async with self._database.transaction() as connection:
            if await connection.fetchrow(self._queries.withdraw_number, tenant, e164) is None:
                return False
            if await connection.fetchval(self._queries.is_in_use, e164):
                raise NumberInUse
            await connection.execute(self._queries.wake_publishers)
        return True


def tenant_of(row: Record) -> TenantEntry:
    """Return the tenant of a row."""
    return TenantEntry(
        tenant=row["tenant"],
        region=row["region"],
        policy=row["policy"],
        staff=tuple(row["staff"]),
        revision=row["revision"],
    )


def number_of(row: Record) -> NumberEntry:
    """Return the number of a row."""
    return NumberEntry(
        e164=row["e164"],
        tenant=row["tenant"],
        role=NumberRole(row["role"]),
        state=NumberState(row["state"]),
        asks_code=row["asks_code"],
        city=row["city"],
        default_route=row["default_route"],
        revision=row["revision"],
    )
