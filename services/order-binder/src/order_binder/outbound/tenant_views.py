"""Tenants with their numbers, as decisions see them: kept until their rows say that they are others."""

from collections.abc import Collection, Mapping
from typing import NamedTuple

from asyncpg import Record

from fareline_chassis.postgres.pool import Connection
from fareline_chassis.postgres.sql import load_queries
from order_binder.domain.numbers import Inventory, NumberRole, NumberState, ProxyNumber
from order_binder.ports.bindings import TenantView
from order_binder.records import policy_of


class Kept(NamedTuple):
    """A tenant as he was read, and the stamp that his rows had before."""

    stamp: str
    view: TenantView


class TenantViews:
    """What was last read of each tenant; one for all batches of a process.

    A tenant's stamp is made of his revision and those of his numbers, and is asked for each time: a change counts from
    the next decision on. What is kept may be newer than its stamp, never older; then it is read once more.
    """

    def __init__(self) -> None:
        self._queries = load_queries("order_binder.outbound", "tenant_views")
        self._known: dict[str, Kept] = {}

    def kept(self, names: Collection[str]) -> Mapping[str, Kept]:
        """Return what is kept of those of `names` that are known; it is good while their rows have the same stamps."""
        return {tenant: self._known[tenant] for tenant in names if tenant in self._known}

    async def refresh(self, connection: Connection, names: Collection[str], stamps: Mapping[str, str]) -> None:
        """Read what is to be kept of `names`; the stamps of those that exist were read before."""
        views = await self.read(connection, names)
        for tenant in names:
            self._known.pop(tenant, None)
        self._known.update({tenant: Kept(stamps[tenant], views[tenant]) for tenant in views.keys() & stamps.keys()})

    async def read(self, connection: Connection, names: Collection[str]) -> Mapping[str, TenantView]:
        """Return those of `names` that exist, as their rows stand."""
        tenants = await connection.fetch(self._queries.tenants, list(names))
        numbers: dict[str, list[ProxyNumber]] = {}
        for row in await connection.fetch(self._queries.inventories, list(names)):
            numbers.setdefault(row["tenant"], []).append(_number_of(row))
        return {
            row["tenant"]: TenantView(
                policy_of(row["region"], row["policy"]), Inventory(numbers.get(row["tenant"], ()))
            )
            for row in tenants
        }


def _number_of(row: Record) -> ProxyNumber:
    return ProxyNumber(row["e164"], NumberRole(row["role"]), NumberState(row["state"]), row["city"])
