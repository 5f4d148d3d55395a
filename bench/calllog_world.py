"""Millions of calls in monthly partitions, as the projection would have written them, made by the database itself."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

import asyncpg

from fareline_chassis.postgres.sql import Queries, load_queries
from fareline_chassis.privacy import mask_phone
from recording_ingest.outbound.phone_vault import PhoneVault

TENANTS: Final = 20
PHONES: Final = 100_000
MONTHS: Final = 3


@dataclass(frozen=True, slots=True)
class World:
    """What was made: calls 0 … `calls` - 1, evenly over whole months."""

    calls: int
    months: tuple[datetime, ...]

    @property
    def last_month(self) -> tuple[datetime, datetime]:
        """The newest month: its beginning and its end."""
        return self.months[-1], _after(self.months[-1])

    def a_call(self, share: float) -> int:
        """Return the number of a call of the newest month, at this share of its length."""
        each = self.calls // len(self.months)
        return (len(self.months) - 1) * each + int(share * (each - 1))


def phone(n: int) -> str:
    """Return the phone of person `n`."""
    return f"+79{n:09}"


def caller_of(call: int) -> str:
    """Return who made a call."""
    return phone(call // 3 * 7919 % PHONES)


def tenant_of(call: int) -> str:
    """Return whose call it is."""
    return f"tenant-{call // 3 % TENANTS}"


def number_of(call: int) -> str:
    """Return which number was dialled."""
    return f"+7495{call // 3 % TENANTS * 10 + call % 10:07}"


async def fill(connection: asyncpg.Connection, vault: PhoneVault, calls: int, now: datetime) -> World:
    """Make the months before this one, indexes last, as a bulk load is made."""
    queries = load_queries("bench", "calllog")
    await connection.execute("SET synchronous_commit = off; SET maintenance_work_mem = '512MB'")
    await connection.execute(queries.phones)
    people = [(n, vault.hash(phone(n)), vault.seal(phone(n), of=str(n)), mask_phone(phone(n))) for n in range(PHONES)]
    await connection.copy_records_to_table("bench_phones", records=people)
    months = _months(now)
    each = calls // len(months)
    for place, month in enumerate(months):
        await _month(connection, queries, month, (place * each, (place + 1) * each))
        print(f"  {(place + 1) * each:,} calls made", flush=True)
    await connection.execute("ANALYZE calls")
    return World(each * len(months), months)


async def _month(connection: asyncpg.Connection, queries: Queries, month: datetime, calls: tuple[int, int]) -> None:
    name = f"calls_{month:%Y_%m}"
    following = _after(month)
    await connection.execute(queries.begin_month.format(name=name))
    filled = queries.fill_month.format(name=name, tenants=TENANTS, phones=PHONES)
    await connection.execute(filled, *calls, month, following - month, timeout=3600)
    attach = queries.end_month.format(name=name, first=month.isoformat(), beyond=following.isoformat())
    await connection.execute(attach, timeout=3600)


def _months(now: datetime) -> tuple[datetime, ...]:
    first = now.astimezone(UTC).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    months = []
    for _ in range(MONTHS):
        first = (first - timedelta(days=1)).replace(day=1)
        months.append(first)
    return tuple(reversed(months))


def _after(month: datetime) -> datetime:
    return (month + timedelta(days=32)).replace(day=1)
