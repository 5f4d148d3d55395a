"""Orders, slots and codes in PostgreSQL; the statements stand in bindings.sql."""

import time
from collections.abc import AsyncIterator, Callable, Collection, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache

from asyncpg import Record

from fareline_chassis.kafka.partitioner import partition_for
from fareline_chassis.postgres.pool import Connection, Database
from fareline_chassis.postgres.sql import Queries, load_queries
from fareline_contracts.bindings import binding_key
from order_binder.domain.codes import CodeHold
from order_binder.domain.numbers import Inventory, Leaving, NumberRole, NumberState, ProxyNumber
from order_binder.domain.orders import OrderKey
from order_binder.domain.slots import Slot
from order_binder.outbound.documents import holds_document, order_document, order_of, slot_of
from order_binder.ports import Change, InputProgress, LeavingNumber, Locked, LostRace, Saved, TenantView
from order_binder.records import policy_of

STUB_KEPT = timedelta(days=30)
_ESTIMATE_FOR = timedelta(seconds=10)
# Modulo this, what is left of a hash is the hash itself: 31 bits.
HASHES = 0x80000000


class Estimates:
    """Counts that may be a few seconds old: loads of numbers, live codes of tenants. One for all transactions."""

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._known: dict[str, tuple[float, int]] = {}

    def missing(self, names: Collection[str]) -> list[str]:
        """Return those of `names` whose count is unknown or too old."""
        now = self._monotonic()
        return [name for name in names if self._known.get(name, (0.0, 0))[0] <= now]

    def note(self, counts: Mapping[str, int]) -> None:
        """Keep counts for a while."""
        until = self._monotonic() + _ESTIMATE_FOR.total_seconds()
        self._known.update({name: (until, count) for name, count in counts.items()})

    def of(self, name: str) -> int:
        """Return the last known count, 0 if there never was one."""
        return self._known.get(name, (0.0, 0))[1]


@dataclass(frozen=True, slots=True)
class Statements:
    """The statements of a transaction, by what they are about."""

    orders: Queries
    leaving: Queries
    input: Queries


class PostgresBindings:
    """Opens transactions over orders, slots and codes."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._sql = Statements(
            *(load_queries("order_binder.outbound", name) for name in ("bindings", "leaving", "input"))
        )
        self._estimates = Estimates()

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator["PostgresUnit"]:
        """Open a transaction that commits when its block ends and undoes everything when the block raises."""
        async with self._database.transaction() as connection:
            yield PostgresUnit(connection, self._sql, self._estimates)


class PostgresUnit:
    """One transaction."""

    def __init__(self, connection: Connection, sql: Statements, estimates: Estimates) -> None:
        self._connection = connection
        self._sql = sql
        self._queries = sql.orders
        self._estimates = estimates
        self._locked: set[OrderKey] = set()

    async def tenants(self, names: Collection[str]) -> Mapping[str, TenantView]:
        """Return those of `names` that exist, with their policy and numbers."""
        tenants = await self._connection.fetch(self._queries.tenants, list(names))
        rows = await self._connection.fetch(self._queries.inventories, list(names))
        numbers: dict[str, list[ProxyNumber]] = {}
        for row in rows:
            number = _proxy_number(row["e164"], row["role"], row["state"], row["city"])
            numbers.setdefault(row["tenant"], []).append(number)
        return {
            row["tenant"]: TenantView(
                policy_of(row["region"], row["policy"]), Inventory(tuple(numbers.get(row["tenant"], ())))
            )
            for row in tenants
        }

    async def lock(self, keys: Collection[OrderKey]) -> Locked:
        """Lock the rows of these orders, in key order, and return those that exist."""
        ordered = sorted(keys)
        return await self._lock(
            self._queries.lock_orders, [key.tenant for key in ordered], [key.order_id for key in ordered]
        )

    async def lock_due(self, limit: int) -> Locked:
        """Lock orders that are due, leaving out those that others have locked."""
        return await self._lock(self._queries.lock_due, limit)

    async def _lock(self, query: str, *arguments: object) -> Locked:
        orders = [order_of(row) for row in await self._connection.fetch(query, *arguments)]
        self._locked |= {order.key for order in orders}
        now: datetime = await self._connection.fetchval(self._queries.clock)
        return Locked({order.key: order for order in orders}, now)

    async def proxies_among(self, phones: Collection[str]) -> set[str]:
        """Return those of `phones` that are proxy numbers of any tenant."""
        return {row["e164"] for row in await self._connection.fetch(self._queries.proxies_among, list(phones))}

    async def slots_of(self, phones: Collection[str]) -> list[Slot]:
        """Return every slot of these phones."""
        return [slot_of(row) for row in await self._connection.fetch(self._queries.slots_of, list(phones))]

    async def loads(self, numbers: Collection[str]) -> Mapping[str, int]:
        """Return about how many bindings use each number; at most ten seconds old."""
        missing = self._estimates.missing(numbers)
        if missing:
            rows = await self._connection.fetch(self._queries.loads, missing)
            self._estimates.note({**dict.fromkeys(missing, 0), **{row["number"]: row["bindings"] for row in rows}})
        return {number: self._estimates.of(number) for number in numbers}

    async def live_codes(self, tenant: str) -> int:
        """Return about how many codes of a tenant are live or cooling; at most ten seconds old."""
        if self._estimates.missing([tenant]):
            self._estimates.note({tenant: await self._connection.fetchval(self._queries.live_codes, tenant)})
        return self._estimates.of(tenant)

    async def free_codes(self, tenant: str, drawn: Sequence[str]) -> list[str]:
        """Return those of `drawn` that nobody has."""
        held = {row["code"] for row in await self._connection.fetch(self._queries.codes_held, tenant, list(drawn))}
        return [code for code in drawn if code not in held]

    async def save(self, changes: Sequence[Change], slots: Sequence[Slot], codes: Sequence[CodeHold]) -> Saved:
        """Write all or nothing; raises LostRace when an order was inserted by somebody else."""
        try:
            async with self._connection.transaction():
                await self._claim_slots(slots)
                await self._claim_codes(codes)
        except _Lost as lost:
            return Saved(done=False, lost_codes=lost.codes)
        await self._write(self._queries.update_orders, [it for it in changes if it.order.key in self._locked])
        fresh = [it for it in changes if it.order.key not in self._locked]
        if len(await self._write(self._queries.insert_orders, fresh)) < len(fresh):
            raise LostRace
        if any(change.publish for change in changes):
            await self._connection.execute(self._queries.wake_publishers)
        return Saved(done=True)

    async def note_input(self, progress: Collection[InputProgress]) -> None:
        """Write how far the input is processed."""
        if progress:
            await self._connection.execute(
                self._sql.input.note_input,
                [each.partition for each in progress],
                [each.as_of for each in progress],
                [each.next_offset for each in progress],
            )

    async def expect_input(self, partitions: int, since: datetime) -> None:
        """Note how many partitions the input has."""
        await self._connection.execute(self._sql.input.expect_input, partitions, since)
        await self._connection.execute(self._sql.input.forget_input, partitions)

    async def leaving_numbers(self) -> list[LeavingNumber]:
        """Return the numbers that are to be withdrawn as soon as nothing uses them."""
        rows = await self._connection.fetch(self._sql.leaving.leaving_numbers)
        return [LeavingNumber(row["e164"], row["tenant"], Leaving(row["leaving"])) for row in rows]

    async def lock_users(self, e164: str, *, after: OrderKey | None, limit: int) -> Locked:
        """Lock orders whose bindings use a number and have not ended, in key order."""
        tenant, order_id = (after.tenant, after.order_id) if after else ("", "")
        return await self._lock(self._sql.leaving.lock_users, e164, tenant, order_id, limit)

    async def withdraw_unused(self, e164: str) -> bool:
        """Withdraw a leaving number that nothing uses."""
        if await self._connection.fetchrow(self._sql.leaving.withdraw_unused, e164) is None:
            return False
        await self._connection.execute(self._sql.leaving.wake_registry)
        return True

    async def purge(self, limit: int) -> int:
        """Delete what is over, up to `limit` rows of each table."""
        deleted = 0
        for query in (self._queries.purge_orders, self._queries.purge_slots, self._queries.purge_codes):
            status: str = await self._connection.execute(query, limit)
            deleted += int(status.rsplit(" ", 1)[1])
        return deleted

    async def _claim_slots(self, slots: Sequence[Slot]) -> None:
        if not slots:
            return
        claimed = await self._connection.fetch(
            self._queries.claim_slots,
            [slot.number for slot in slots],
            [slot.phone for slot in slots],
            [slot.peer for slot in slots],
            [holds_document(slot) for slot in slots],
            [slot.kept_until for slot in slots],
            [slot.stamp for slot in slots],
        )
        if len(claimed) < len(slots):
            raise _Lost(frozenset())

    async def _claim_codes(self, codes: Sequence[CodeHold]) -> None:
        if not codes:
            return
        rows = await self._connection.fetch(
            self._queries.claim_codes,
            [hold.tenant for hold in codes],
            [hold.code for hold in codes],
            [hold.order_id for hold in codes],
            [hold.role.value for hold in codes],
            [hold.until for hold in codes],
        )
        if len(rows) < len(codes):
            claimed = {(row["tenant"], row["code"]) for row in rows}
            raise _Lost(frozenset((hold.tenant, hold.code) for hold in codes) - claimed)

    async def _write(self, query: str, changes: Sequence[Change]) -> list[Record]:
        if not changes:
            return []
        columns = zip(*(_columns(change) for change in changes), strict=True)
        return await self._connection.fetch(query, *(list(column) for column in columns))


class _Lost(Exception):
    def __init__(self, codes: frozenset[tuple[str, str]]) -> None:
        super().__init__("somebody else was faster")
        self.codes = codes


@lru_cache(maxsize=100_000)
def _proxy_number(e164: str, role: str, state: str, city: str | None) -> ProxyNumber:
    """Return the value of a row: every batch reads the same numbers again."""
    return ProxyNumber(e164, NumberRole(role), NumberState(state), city)


def _columns(change: Change) -> tuple[object, ...]:
    order = change.order
    bound = order.terms is not None and order.allocation is not None
    key = order.key
    return (
        key.tenant,
        key.order_id,
        order.version,
        order.status.value,
        change.state.value,
        order.revision,
        change.publish,
        partition_for(binding_key(key.tenant, key.order_id), HASHES),
        order.allocation.number if bound and order.allocation else None,
        # One text: asyncpg would take lists within a list for one array of two dimensions.
        " ".join(dict.fromkeys(order.terms.phones)) if bound and order.terms else "",
        order_document(order),
        order.traceparent,
        order.caused_at,
        order.updated_at,
        change.next_change_at,
        None if bound or order.updated_at is None else order.updated_at + STUB_KEPT,
    )
