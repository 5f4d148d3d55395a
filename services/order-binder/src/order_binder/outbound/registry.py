"""Tenants and numbers in PostgreSQL; the statements stand in registry.sql."""

from asyncpg import Record

from fareline_chassis.kafka.partitioner import partition_for
from fareline_chassis.postgres.pool import Database
from fareline_chassis.postgres.sql import load_queries
from order_binder.domain.numbers import Leaving, NumberRole, NumberState
from order_binder.outbound.rows import HASHES
from order_binder.ports.registry import (
    NumberCooling,
    NumberEntry,
    NumberHeldElsewhere,
    NumberInUse,
    NumberIsAPhone,
    TenantEntry,
)


class PostgresRegistry:
    """Keeps tenants and their numbers."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._queries = load_queries("order_binder.outbound", "registry")
        self._leaving = load_queries("order_binder.outbound", "leaving")

    async def put_tenant(self, entry: TenantEntry) -> TenantEntry:
        """Create or replace a tenant and return it with its new revision."""
        key_hash = partition_for(entry.tenant.encode(), HASHES)
        async with self._database.transaction() as connection:
            rows = await connection.fetch(
                self._queries.put_tenant, entry.tenant, entry.region, dict(entry.policy), list(entry.staff), key_hash
            )
            await connection.execute(self._leaving.wake_registry)
        return tenant_of(rows[0])

    async def tenant(self, tenant: str) -> TenantEntry | None:
        """Return a tenant."""
        async with self._database.acquire() as connection:
            row = await connection.fetchrow(self._queries.tenant, tenant)
        return None if row is None else tenant_of(row)

    async def put_number(self, entry: NumberEntry) -> NumberEntry:
        """Create or replace a number. Raises NumberHeldElsewhere, NumberInUse, NumberCooling, NumberIsAPhone."""
        async with self._database.transaction() as connection:
            standing = await connection.fetchrow(self._leaving.standing_of, entry.e164)
            if standing is not None:
                _check_standing(standing, entry)
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
            await connection.execute(self._leaving.wake_registry)
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

    async def leave_number(self, tenant: str, e164: str, how: Leaving) -> NumberEntry | None:
        """Note that a number is to be withdrawn."""
        async with self._database.transaction() as connection:
            row = await connection.fetchrow(self._leaving.leave_number, tenant, e164, how.value)
            await connection.execute(self._leaving.wake_registry)
        return None if row is None else number_of(row)

    async def withdraw_number(self, tenant: str, e164: str) -> bool:
        """Take a number out of the inventory, False where there is none. Raises NumberInUse."""
        async with self._database.transaction() as connection:
            if await connection.fetchrow(self._queries.withdraw_number, tenant, e164) is None:
                return False
            if await connection.fetchval(self._queries.is_in_use, e164):
                raise NumberInUse
            await connection.execute(self._leaving.wake_registry)
        return True


def _check_standing(standing: Record, entry: NumberEntry) -> None:
    if standing["withdrawn"]:
        if standing["tenant"] != entry.tenant and (standing["in_use"] or standing["cooling"]):
            raise NumberCooling
    elif standing["tenant"] != entry.tenant:
        raise NumberHeldElsewhere
    elif standing["role"] != entry.role and standing["in_use"]:
        raise NumberInUse


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
