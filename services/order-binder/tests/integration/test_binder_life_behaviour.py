"""Orders from booking to the last trace of them, on a real database whose rows are made older than they are."""

from datetime import timedelta

import pytest
from binder_events import event, furnish, shift
from binder_support import seeded

from order_binder.domain.lifecycle import Outcome
from order_binder.domain.orders import OrderKey
from order_binder.domain.states import BindingState, state_at
from order_binder.domain.values import replace
from order_binder.outbound.publication import BindingSource
from order_binder.ports.registry import TenantEntry
from order_binder.usecases.ingest_orders import IngestOrders
from order_binder.usecases.sweep_windows import SweepWindows

KEY = OrderKey("demo", "o-1")
TABLES = ("orders", "slots", "codes")


@pytest.fixture
async def ingest(store, registry):
    await furnish(registry)
    return IngestOrders(store, seeded())


async def everything(database):
    """Return every row of the tables that orders leave behind."""
    async with database.acquire() as connection:
        return {name: await connection.fetch(f"SELECT * FROM order_binder.{name} ORDER BY 1, 2") for name in TABLES}


async def state(reader):
    order, now = await reader.order(KEY)
    return state_at(order, now)


async def publish(database):
    """Mark everything as published and return what was sent: {key: value}."""
    source = BindingSource(database, 1, published=lambda _: None)
    rows = await source.unpublished(0, 100)
    await source.mark([(row.key, row.revision) for row in rows])
    return {row.key: row.value for row in rows}


async def test_case_14_a_booked_order_waits_for_its_window_across_restarts(ingest, store, reader, database):
    booked = event("o-1", 1)
    await ingest([replace(booked, scheduled_for=booked.status_changed_at + timedelta(hours=2))])
    before, _ = await reader.order(KEY)
    assert await state(reader) is BindingState.PENDING
    assert before.bound
    assert (await SweepWindows(store)()).changed == 0
    await shift(database, "o-1", "61 minutes")
    assert (await SweepWindows(store)()).changed == 1
    after, _ = await reader.order(KEY)
    assert await state(reader) is BindingState.ACTIVE
    assert after.revision > before.revision
    assert after.allocation == before.allocation
    assert (await SweepWindows(store)()).changed == 0


async def test_from_the_end_to_the_last_trace(ingest, store, reader, database):
    await ingest([event("o-1", 1)])
    await ingest([event("o-1", 2, "completed", driver=None)])
    assert await state(reader) is BindingState.GRACE
    await shift(database, "o-1", "25 hours")
    await SweepWindows(store)()
    assert (await publish(database))[b"demo/o-1"] is not None
    await shift(database, "o-1", "24 hours")
    await SweepWindows(store)()

    stub, _ = await reader.order(KEY)
    assert (stub.version, stub.terms, stub.allocation) == (2, None, None)
    async with database.acquire() as connection:
        row = await connection.fetchrow("SELECT phones, document::text AS document FROM order_binder.orders")
    assert "+79" not in str(row)
    await shift(database, "o-1", "31 days")
    assert (await SweepWindows(store)()).purged == 0  # its tombstone is not published yet
    assert await publish(database) == {b"demo/o-1": None}
    assert (await SweepWindows(store)()).purged >= 1
    assert (await reader.order(KEY))[0] is None


async def test_people_of_an_order_that_never_got_a_number_are_forgotten_too(store, registry, reader, database):
    await furnish(registry, pool=0, main=None)
    await IngestOrders(store, seeded())([event("o-1", 1)])
    assert await state(reader) is BindingState.UNROUTABLE
    await shift(database, "o-1", "25 hours")
    await SweepWindows(store)()
    assert (await reader.order(KEY))[0].terms is None
    assert await publish(database) == {}


async def test_a_revision_grows_over_a_row_that_is_gone(ingest, database, reader):
    await ingest([event("o-1", 1)])
    before, _ = await reader.order(KEY)
    async with database.acquire() as connection:
        await connection.execute("DELETE FROM order_binder.orders")
    await ingest([event("o-1", 2)])
    assert (await reader.order(KEY))[0].revision > before.revision


async def test_case_13_the_whole_topic_again_changes_nothing(ingest, database):
    history = [
        event("o-1", 1),
        event("o-2", 1, driver="2", client="2"),
        event("o-1", 2, driver="3"),
        event("o-2", 2, "completed", driver=None, client="2"),
        event("o-3", 1, "searching", driver=None, client="3"),
        event("o-1", 3, "cancelled", driver="3"),
    ]
    for each in history:
        await ingest([each])
    before = await everything(database)
    report = await ingest(history)
    assert report.outcomes == {Outcome.STALE: len(history)}
    for each in history:
        await ingest([each])
    assert await everything(database) == before


async def test_a_change_of_policy_is_for_new_decisions(ingest, registry, reader):
    await ingest([event("o-1", 1)])
    before, _ = await reader.order(KEY)
    await registry.put_tenant(TenantEntry("demo", "RU", {"windows": {"cap": 60}, "numbering": "main"}, ()))
    assert (await reader.order(KEY))[0] == before
    await ingest([event("o-1", 2, "arrived")])
    after, _ = await reader.order(KEY)
    assert after.allocation.number != before.allocation.number
    assert after.terms.directions.last_closes < before.terms.directions.last_closes - timedelta(hours=46)


async def test_times_beyond_belief_are_counted(ingest):
    now = event("o-1", 1).caused_at
    wild = [
        event("o-1", 1, status_changed_at=now + timedelta(hours=1)),
        event("o-2", 1, status_changed_at=now - timedelta(hours=49), driver="2", client="2"),
        event("o-3", 1, "cancelled", status_changed_at=now - timedelta(hours=49), driver="3", client="3"),
    ]
    assert (await ingest(wild)).times_replaced == 2
