"""Tenants with their numbers, as decisions see them: kept until their rows say that they are others."""

from collections.abc import Collection, Mapping

from asyncpg import Record

from fareline_chassis.postgres.pool import Connection
from fareline_chassis.postgres.sql import load_queries
from order_binder.domain.numbers import Inventory, NumberRole, NumberState, ProxyNumber
from order_binder.ports.bindings import TenantView
from order_binder.records import policy_of


class TenantViews:
    """What was last read of each tenant; one for all transactions of a process.

    A tenant's stamp is made of his revision and those of his numbers, and is asked for each time: a change counts from
    the next decision on. What is kept may be newer than its stamp, never older; then it is read once more.
    """

    def __init__(self) -> None:
        self._queries = load_queries("order_binder.outbound", "tenant_views")
        self._known: dict[str, tuple[str, TenantView]] = {}

    async def of(self, connection: Connection, names: Collection[str]) -> Mapping[str, TenantView]:
        """Return those of `names` that exist, as their rows stand."""
        stamps = {row["tenant"]: row["stamp"] for row in await connection.fetch(self._queries.stamps, list(names))}
        others = [tenant for tenant, stamp in stamps.items() if self._known.get(tenant, ("", None))[0] != stamp]
        if others:
            for tenant, view in (await self._read(connection, others)).items():
                self._known[tenant] = (stamps[tenant], view)
        return {tenant: self._known[tenant][1] for tenant in stamps}

    async def _read(self, connection: Connection, names: list[str]) -> Mapping[str, TenantView]:
        tenants = await connection.fetch(self._queries.tenants, names)
        numbers: dict[str, list[ProxyNumber]] = {}
        for row in await connection.fetch(self._queries.inventories, names):
            numbers.setdefault(row["tenant"], []).append(_number_of(row))
        return {
            row["tenant"]: TenantView(
                policy_of(row["region"], row["policy"]), Inventory(numbers.get(row["tenant"], ()))
            )
            for row in tenants
        }


def _number_of(row: Record) -> ProxyNumber:
    return ProxyNumber(row["e164"], NumberRole(row["role"]), NumberState(row["state"]), row["city"])
