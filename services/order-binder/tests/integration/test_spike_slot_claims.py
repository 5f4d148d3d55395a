"""Spike that stays: many transactions claim the same few slots at once. Nothing deadlocks for good, and no slot ever
means two people."""

import asyncio
import random
from collections import Counter

import asyncpg
import pytest
from binder_events import event, furnish

from fareline_chassis.postgres.errors import classify, sqlstate_of
from order_binder.domain.orders import Role
from order_binder.outbound.documents import order_of
from order_binder.ports.bindings import LostRace
from order_binder.usecases.ingest_orders import IngestOrders

WORKERS, ROUNDS, DRIVERS, CLIENTS, NUMBERS = 12, 20, 4, 6, 5


async def worker(index, store, retried: Counter) -> None:
    """Process batches of orders of its own that claim slots which everybody wants."""
    rng = random.Random(index)
    ingest = IngestOrders(store, rng.randrange)
    for version in range(1, ROUNDS + 1):
        batch = [
            event(
                f"o-{index}-{slot}",
                version,
                rng.choice(["accepted", "accepted", "arrived", "completed", "cancelled"]),
                driver=str(rng.randrange(DRIVERS)),
                client=str(rng.randrange(CLIENTS)),
            )
            for slot in rng.sample(range(4), 3)
        ]
        await until_done(ingest, batch, retried)


async def until_done(ingest, batch, retried) -> None:
    for _ in range(50):
        try:
            await ingest(batch)
        except LostRace:
            retried["lost"] += 1
        except asyncpg.PostgresError as error:
            if classify(error) != "transient":
                raise
            retried[sqlstate_of(error)] += 1
        else:
            return
        await asyncio.sleep(random.random() * 0.02)
    pytest.fail("a batch was never written")


async def test_concurrent_claims_never_make_a_slot_mean_two_people(store, registry, database):
    await furnish(registry, pool=NUMBERS)
    retried: Counter = Counter()
    watching = asyncio.create_task(watch(database))
    await asyncio.gather(*(worker(index, store, retried) for index in range(WORKERS)))
    watching.cancel()
    await asyncio.wait([watching])
    assert watching.cancelled(), watching.exception()
    assert await contradictions(database) == []
    async with database.acquire() as connection:
        lent = await connection.fetchval("SELECT count(*) FROM order_binder.orders WHERE number LIKE '+749500001%'")
    assert lent > 0


async def watch(database) -> None:
    """Look at the invariant all the while."""
    while True:
        assert await contradictions(database) == []
        await asyncio.sleep(0.05)


async def contradictions(database) -> list:
    """Return live orders on a pool number one of whose slots means somebody else, or is held by others only."""
    async with database.transaction(isolation="repeatable_read", readonly=True) as connection:
        now = await connection.fetchval("SELECT clock_timestamp()")
        rows = await connection.fetch(
            "SELECT tenant, order_id, version, status, revision, document, traceparent, caused_at, updated_at"
            " FROM order_binder.orders WHERE number LIKE '+749500001%'"
        )
        slots = {
            (row["number"], row["phone"]): row for row in await connection.fetch("SELECT * FROM order_binder.slots")
        }
    found = []
    for order in map(order_of, rows):
        if order.ended(now):
            continue
        for role in Role:
            for phone in order.terms.person(role).phones:
                slot = slots.get((order.allocation.number, phone))
                if slot is None or slot["peer"] != order.terms.peer(role).key or str(order.key) not in slot["holds"]:
                    found.append((str(order.key), role, slot and slot["peer"]))
    return found
