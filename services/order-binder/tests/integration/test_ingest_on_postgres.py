"""Ingesting on a real database: what is stored, what is refused, what is found again."""

import pytest
from binder_events import MAIN, POOL, event, furnish, shift

from order_binder.domain.lifecycle import Outcome
from order_binder.domain.orders import OrderKey, Unroutable
from order_binder.domain.states import BindingState
from order_binder.domain.values import replace
from order_binder.ports.progress import InputProgress
from order_binder.ports.registry import NumberHeldElsewhere, NumberInUse, NumberIsAPhone
from order_binder.usecases.ingest_orders import IngestOrders
from order_binder.usecases.sweep_windows import SweepWindows

from binder_support import seeded  # isort: skip

KEY = OrderKey("demo", "o-1")


@pytest.fixture
async def ingest(store, registry):
    await furnish(registry)
    return IngestOrders(store, seeded())


async def fetch(database, query, *arguments):
    async with database.acquire() as connection:
        return await connection.fetch(query, *arguments)


async def test_an_accepted_order_gets_number_codes_and_slots(ingest, reader, database):
    report = await ingest([event("o-1", 1, traceparent="00-" + "1" * 32 + "-" + "2" * 16 + "-01")])
    assert report.outcomes == {Outcome.OPENED: 1}
    order, _ = await reader.order(KEY)
    assert order.allocation.number in POOL
    assert order.traceparent.startswith("00-1")
    slots = await fetch(database, "SELECT number, phone, peer FROM order_binder.slots ORDER BY phone")
    assert [tuple(slot) for slot in slots] == [
        (order.allocation.number, "+79030000001", "client:id:c-1"),
        (order.allocation.number, "+79260000001", "driver:id:d-1"),
    ]
    codes = await fetch(database, "SELECT code, role FROM order_binder.codes")
    assert {row["code"] for row in codes} == {order.allocation.driver_code, order.allocation.client_code}


async def test_case_2_the_same_event_again_changes_nothing(ingest, reader):
    first = event("o-1", 1)
    await ingest([first])
    before, _ = await reader.order(KEY)
    report = await ingest([first, first])
    after, _ = await reader.order(KEY)
    assert report.outcomes == {Outcome.STALE: 2}
    assert after == before


async def test_several_events_of_one_order_in_one_batch_are_folded(ingest, reader, database):
    events = [event("o-1", 1), event("o-1", 2, driver="2"), event("o-1", 3, "completed", driver=None)]
    report = await ingest(events)
    assert report.outcomes == {Outcome.OPENED: 1, Outcome.REASSIGNED: 1, Outcome.GRACE: 1}
    order, _ = await reader.order(KEY)
    assert order.terms.driver.id == "d-2"
    assert len(await fetch(database, "SELECT FROM order_binder.slots WHERE peer = 'driver:id:d-1'")) == 0


async def test_case_5_reassignment_keeps_the_number_and_rests_the_old_drivers_slot(ingest, reader, database):
    await ingest([event("o-1", 1)])
    before, _ = await reader.order(KEY)
    await ingest([event("o-1", 2, driver="2")])
    after, _ = await reader.order(KEY)
    assert after.allocation.number == before.allocation.number
    assert after.allocation.driver_code != before.allocation.driver_code
    assert after.revision > before.revision
    found = await fetch(
        database,
        "SELECT kept_until - now() < interval '121 min' AS rests FROM order_binder.slots WHERE phone LIKE '%03%1'",
    )
    assert [row["rests"] for row in found] == [True]
    cooling = await fetch(
        database, "SELECT held_until FROM order_binder.codes WHERE code = $1", before.allocation.driver_code
    )
    assert len(cooling) == 1


async def test_cancelled_and_back_again(ingest, reader):
    for version, status in enumerate(["accepted", "cancelled", "accepted"], 1):
        await ingest([event("o-1", version, status)])
    order, now = await reader.order(KEY)
    assert not order.ended(now)


async def test_unknown_tenants_are_refused_and_neighbours_are_not(ingest, reader):
    stranger = replace(event("o-9", 1), key=OrderKey("nobody", "o-9"))
    report = await ingest([event("o-1", 1), stranger, event("o-2", 1)])
    assert report.refused == {1: "unknown_tenant"}
    assert (await reader.order(KEY))[0] is not None


async def test_case_55_a_proxy_number_is_no_partys_phone(ingest, reader):
    party = event("o-1", 1).client
    await ingest(
        [
            event("o-1", 1, client="1", driver="1")
            if False
            else replace(event("o-1", 1), client=replace(party, phones=(MAIN,)))
        ]
    )
    order, _ = await reader.order(KEY)
    assert order.unroutable is Unroutable.CLIENT_WITHOUT_PHONE


async def test_a_pool_of_one_runs_dry_and_gives_the_main_number(store, registry, reader):
    await furnish(registry, pool=1)
    ingest = IngestOrders(store, seeded())
    report = await ingest([event("o-1", 1, client="1"), event("o-2", 1, client="2")])
    assert report.pool_dry == {"demo": 1}
    numbers = {(await reader.order(OrderKey("demo", name)))[0].allocation.number for name in ("o-1", "o-2")}
    assert numbers == {POOL[0], MAIN}


async def test_lookup_by_phone_and_by_code(ingest, reader):
    await ingest([event("o-1", 1), event("o-2", 1, driver="2", client="2")])
    order, _ = await reader.order(KEY)
    by_phone = await reader.find("demo", phone="+79030000001", code=None, limit=10)
    by_code = await reader.find("demo", phone=None, code=order.allocation.client_code, limit=10)
    assert [found.key for found in by_phone.orders] == [found.key for found in by_code.orders] == [KEY]
    assert (await reader.find("solo", phone="+79030000001", code=None, limit=10)).orders == ()
    await ingest([event("o-1", 2, "cancelled")])
    assert (await reader.find("demo", phone="+79030000001", code=None, limit=10)).orders == ()


async def test_input_progress_never_goes_back(ingest, database):
    later, earlier = event("o-1", 1).caused_at, event("o-1", 1).caused_at.replace(year=2025)
    await ingest([], [InputProgress(0, later, 7)])
    await ingest([], [InputProgress(0, earlier, 3)])
    assert [
        tuple(row) for row in await fetch(database, "SELECT as_of, next_offset FROM order_binder.input_progress")
    ] == [(later, 7)]


async def test_the_sweeper_follows_the_clock_to_the_tombstone(ingest, store, reader, database):
    await ingest([event("o-1", 1), event("o-2", 1, driver="2", client="2")])
    sweep = SweepWindows(store)
    assert (await sweep()).changed == 0
    await shift(database, "o-1", "49 hours")
    assert (await sweep()).changed == 1
    order, now = await reader.order(KEY)
    states = await fetch(database, "SELECT order_id, state FROM order_binder.orders ORDER BY order_id")
    assert [row["state"] for row in states] == [BindingState.ENDED, BindingState.ACTIVE]
    assert order.ended(now)
    await shift(database, "o-1", "25 hours")
    assert (await sweep()).changed == 1
    stub, _ = await reader.order(KEY)
    assert (stub.terms, stub.allocation, stub.version) == (None, None, 1)
    assert (await ingest([event("o-1", 1)])).outcomes == {Outcome.STALE: 1}


async def test_numbers_are_guarded(ingest, registry):
    await ingest([event("o-1", 1)])
    await furnish(registry, tenant="solo", pool=0, main="+74950000201")
    entry = (await registry.numbers("solo"))[0]
    with pytest.raises(NumberIsAPhone):
        await registry.put_number(replace(entry, e164="+79030000001"))
    with pytest.raises(NumberHeldElsewhere):
        await registry.put_number(replace(entry, e164=MAIN))
    used = {number.e164 for number in await registry.numbers("demo")}
    refused = 0
    for e164 in sorted(used):
        try:
            assert await registry.withdraw_number("demo", e164)
        except NumberInUse:
            refused += 1
    assert refused == 1
    assert not await registry.withdraw_number("demo", "+74950009999")
    assert len(await registry.numbers("demo")) == 1
