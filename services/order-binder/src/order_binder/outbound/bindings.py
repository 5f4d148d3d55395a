"""Orders, slots and codes in PostgreSQL; the statements stand in bindings.sql.

A batch is three statements, for each is a round trip that every event in it waits for: two that read and lock nothing,
and one that writes everything, provided that nobody has changed what was read.
"""

from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Callable, Collection, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime

from asyncpg import Record, SerializationError

from fareline_chassis.postgres.pool import Connection, Database
from fareline_chassis.postgres.sql import Queries, load_queries
from order_binder.domain.numbers import Leaving
from order_binder.domain.orders import Order, OrderKey
from order_binder.outbound.documents import order_of, slot_of
from order_binder.outbound.estimates import Estimates
from order_binder.outbound.rows import code_rows, order_rows, progress_rows, slot_rows
from order_binder.outbound.tenant_views import TenantViews
from order_binder.ports.bindings import Batch, Held, Locked, LostRace, Seen, TenantView, Wanted
from order_binder.ports.progress import InputProgress
from order_binder.ports.registry import LeavingNumber


@dataclass(frozen=True, slots=True)
class Known:
    """What all units of a process share: statements by what they are about, and what was read before."""

    orders: Queries
    leaving: Queries
    input: Queries
    tenants: TenantViews
    estimates: Estimates


class PostgresBindings:
    """Opens units of work over orders, slots and codes; `estimates` are to be counted beside them."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self.estimates = Estimates(database)
        orders, leaving, followed = map(_queries, ("bindings", "leaving", "input"))
        self._known = Known(orders, leaving, followed, TenantViews(), self.estimates)

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator["PostgresUnit"]:
        """Open a transaction that commits when its block ends and undoes everything when the block raises."""
        async with self._database.transaction() as connection:
            yield PostgresUnit(connection, self._known)

    @asynccontextmanager
    async def optimistic(self) -> AsyncIterator["PostgresUnit"]:
        """Open a unit that holds no lock: what it has read may change until `save`, which then refuses."""
        async with self._database.acquire() as connection:
            yield PostgresUnit(connection, self._known)


class PostgresUnit:
    """One transaction, or one optimistic attempt."""

    def __init__(self, connection: Connection, known: Known) -> None:
        self._connection = connection
        self._known = known
        self._queries = known.orders
        self._revisions: dict[OrderKey, int] = {}
        self._looked_at: datetime | None = None

    async def tenants(self, names: Collection[str]) -> Mapping[str, TenantView]:
        """Return those of `names` that exist, with their policy and numbers."""
        return await self._known.tenants.read(self._connection, names)

    async def look(
        self, keys: Collection[OrderKey], phones: Callable[[Mapping[str, TenantView]], Collection[str]]
    ) -> Seen:
        """Return these orders as they stand, with their tenants and those of `phones` that are proxy numbers.

        `phones` is given the tenants, and may be asked again where one of them has changed.
        """
        names = {key.tenant for key in keys}
        tenants, order_ids = _list(key.tenant for key in keys), _list(key.order_id for key in keys)
        while True:
            kept = self._known.tenants.kept(names)
            views = {tenant: each.view for tenant, each in kept.items()}
            rows = await self._connection.fetch(
                self._queries.look, tenants, order_ids, _list(phones(views)), _list(names)
            )
            (around,) = (row for row in rows if row["tenant"] is None)
            stamps = dict(stamp.split("/", 1) for stamp in (around["stamps"] or "").split())
            if stamps == {tenant: each.stamp for tenant, each in kept.items()}:
                break
            await self._known.tenants.refresh(self._connection, names, stamps)
        orders = self._note(row for row in rows if row["tenant"] is not None)
        self._looked_at = now = around["now"]
        return Seen(views, orders, now, frozenset((around["proxies"] or "").split()))

    async def lock_due(self, limit: int) -> Locked:
        """Lock orders that are due, leaving out those that others have locked."""
        return await self._lock_some(self._queries.lock_due, limit)

    async def _lock_some(self, query: str, *arguments: object) -> Locked:
        rows = await self._connection.fetch(query, *arguments)
        now: datetime = await self._connection.fetchval(self._queries.clock)
        return Locked(self._note(rows), now)

    def _note(self, rows: Iterable[Record]) -> Mapping[OrderKey, Order]:
        orders = {order.key: order for order in map(order_of, rows)}
        self._revisions.update({key: order.revision for key, order in orders.items()})
        return orders

    async def held(self, wanted: Wanted) -> Held:
        """Return what stands of the slots and codes that an allocation may touch."""
        drawn = [(tenant, code) for tenant, codes in wanted.drawn.items() for code in codes]
        rows = await self._connection.fetch(
            self._queries.held,
            _list(wanted.phones),
            _list(number for number, _ in wanted.kept),
            _list(phone for _, phone in wanted.kept),
            _list(tenant for tenant, _ in drawn),
            _list(code for _, code in drawn),
        )
        taken = {(row["tenant"], row["number"]) for row in rows if row["tenant"] is not None}
        free: defaultdict[str, list[str]] = defaultdict(list)
        for tenant, code in drawn:
            if (tenant, code) not in taken:
                free[tenant].append(code)
        return Held([slot_of(row) for row in rows if row["tenant"] is None], free)

    def loads(self) -> Counter[str]:
        """Return about how many bindings use each number; some seconds old."""
        return self._known.estimates.loads

    def live_codes(self, tenant: str) -> int:
        """Return about how many codes of a tenant are live or cooling; some seconds old."""
        return self._known.estimates.live_codes[tenant]

    async def save(self, batch: Batch) -> None:
        """Write all or nothing; raises LostRace where somebody was faster, or where `look` was half a minute ago."""
        if not (batch.changes or batch.progress):
            return
        try:
            await self._connection.fetch(
                self._queries.save,
                order_rows(batch.changes, self._revisions),
                slot_rows(batch.slots),
                code_rows(batch.codes),
                progress_rows(batch.progress),
                self._looked_at,
            )
        except SerializationError as race:
            raise LostRace(_lost_codes(race.detail or "")) from race

    async def note_input(self, progress: Collection[InputProgress]) -> None:
        """Write how far the input is processed."""
        await self.save(Batch((), progress=tuple(progress)))

    async def expect_input(self, partitions: int, since: datetime) -> None:
        """Note how many partitions the input has."""
        await self._connection.execute(self._known.input.expect_input, partitions, since)
        await self._connection.execute(self._known.input.forget_input, partitions)

    async def leaving_numbers(self) -> list[LeavingNumber]:
        """Return the numbers that are to be withdrawn as soon as nothing uses them."""
        rows = await self._connection.fetch(self._known.leaving.leaving_numbers)
        return [LeavingNumber(row["e164"], row["tenant"], Leaving(row["leaving"])) for row in rows]

    async def lock_users(self, e164: str, *, after: OrderKey | None, limit: int) -> Locked:
        """Lock orders whose bindings use a number and have not ended, in key order."""
        tenant, order_id = (after.tenant, after.order_id) if after else ("", "")
        return await self._lock_some(self._known.leaving.lock_users, e164, tenant, order_id, limit)

    async def withdraw_unused(self, e164: str) -> bool:
        """Withdraw a leaving number that nothing uses, or forget one that went a while ago."""
        if await self._connection.fetchrow(self._known.leaving.withdraw_unused, e164) is None:
            await self._connection.execute(self._known.leaving.forget_withdrawn, e164)
            return False
        await self._connection.execute(self._known.leaving.wake_registry)
        return True

    async def purge(self, limit: int) -> int:
        """Delete what is over, up to `limit` rows of each table."""
        deleted = 0
        for query in (self._queries.purge_orders, self._queries.purge_slots, self._queries.purge_codes):
            status: str = await self._connection.execute(query, limit)
            deleted += int(status.rsplit(" ", 1)[1])
        return deleted


def _queries(name: str) -> Queries:
    return load_queries("order_binder.outbound", name)


def _list(words: Iterable[str]) -> str:
    """Return words without blanks as one text: of an array asyncpg would look at each element in Python."""
    return " ".join(words)


def _lost_codes(named: str) -> frozenset[tuple[str, str]]:
    """Return the codes that somebody else has by now, (tenant, code) each, as the database names them."""
    return frozenset((tenant, code) for tenant, _, code in (each.partition("/") for each in named.split()))
