"""Numbers that leave the inventory while bindings use them, on a real database."""

import pytest
from binder_events import MAIN, POOL, event, furnish
from binder_support import seeded
from meanwhile import Meanwhile

from order_binder.domain.numbers import Leaving, NumberRole, NumberState
from order_binder.domain.orders import OrderKey
from order_binder.domain.values import replace
from order_binder.ports.registry import NoOtherNumber, NumberCooling, NumberEntry, NumberInUse, TenantEntry
from order_binder.usecases.ingest_orders import IngestOrders
from order_binder.usecases.put_number import NumberUnknown, PutNumber, WithdrawNumber
from order_binder.usecases.sweep_windows import SweepWindows
from order_binder.usecases.vacate_numbers import VacateNumbers


@pytest.fixture
async def ingest(store, registry):
    await furnish(registry, pool=1)
    return IngestOrders(store, seeded())


@pytest.fixture
def vacate(store):
    return VacateNumbers(store, seeded(), batch=2)


@pytest.fixture
def withdraw(registry, vacate):
    return WithdrawNumber(registry, vacate)


async def order(reader, name):
    return (await reader.order(OrderKey("demo", name)))[0]


async def bound_to_the_pool_number(ingest, count):
    """Bind orders of different people, which may share one number."""
    await ingest([event(f"o-{n}", 1, driver=str(n), client=str(n)) for n in range(1, count + 1)])


async def test_bindings_move_to_another_number_at_once_and_their_slots_rest(
    ingest, withdraw, registry, reader, database
):
    await bound_to_the_pool_number(ingest, 5)
    before = {n: await order(reader, f"o-{n}") for n in range(1, 6)}
    assert {each.allocation.number for each in before.values()} == {POOL[0]}
    await registry.put_number(NumberEntry(POOL[1], "demo", NumberRole.POOL, NumberState.ACTIVE, True, None, None))

    assert await withdraw("demo", POOL[0], Leaving.MOVE) is None

    for n, was in before.items():
        now = await order(reader, f"o-{n}")
        assert now.allocation.number == POOL[1]
        assert now.revision > was.revision
        assert (now.version, now.terms, now.allocation.driver_code) == (1, was.terms, was.allocation.driver_code)
    assert POOL[0] not in {number.e164 for number in await registry.numbers("demo")}
    async with database.acquire() as connection:
        rest = await connection.fetch(
            "SELECT holds, kept_until - now() < interval '121 min' AS soon FROM order_binder.slots WHERE number = $1",
            POOL[0],
        )
        unpublished = await connection.fetchval(
            "SELECT count(*) FROM order_binder.orders WHERE revision <> published_revision"
        )
        tombstone = await connection.fetchrow("SELECT * FROM order_binder.numbers WHERE e164 = $1", POOL[0])
    assert len(rest) == 10
    assert all(row["soon"] for row in rest)
    assert unpublished == 5
    assert tombstone["withdrawn"]
    assert tombstone["revision"] != tombstone["published_revision"]


async def test_without_another_main_number_nothing_moves(ingest, withdraw, registry, reader):
    await bound_to_the_pool_number(ingest, 1)
    with pytest.raises(NoOtherNumber):
        await withdraw("demo", MAIN, Leaving.MOVE)
    await registry.withdraw_number("demo", MAIN)
    with pytest.raises(NoOtherNumber):
        await withdraw("demo", POOL[0], Leaving.MOVE)
    with pytest.raises(NumberInUse):
        await withdraw("demo", POOL[0], None)
    with pytest.raises(NumberUnknown):
        await withdraw("demo", POOL[5], Leaving.MOVE)
    assert (await order(reader, "o-1")).allocation.number == POOL[0]
    assert (await registry.number("demo", POOL[0])).state is NumberState.ACTIVE


async def test_a_draining_number_keeps_its_bindings_takes_no_other_and_goes_with_the_last(
    ingest, withdraw, vacate, registry, reader, store
):
    await bound_to_the_pool_number(ingest, 2)
    left = await withdraw("demo", POOL[0], Leaving.DRAIN)
    assert left.state is NumberState.DRAINING

    await ingest([event("o-1", 2, "arrived"), event("o-9", 1, driver="9", client="9")])
    assert (await order(reader, "o-1")).allocation.number == POOL[0]
    assert (await order(reader, "o-9")).allocation.number == MAIN

    await ingest([event("o-1", 3, "cancelled")])
    assert (await vacate()).withdrawn == 0
    await ingest([event("o-2", 2, "cancelled", driver="2", client="2")])
    await SweepWindows(store)()
    assert (await vacate()).withdrawn == 1
    assert await registry.number("demo", POOL[0]) is None
    assert (await vacate()).withdrawn == 0


async def test_a_number_put_again_stays_after_all(ingest, withdraw, vacate, registry):
    await bound_to_the_pool_number(ingest, 1)
    left = await withdraw("demo", POOL[0], Leaving.DRAIN)
    await registry.put_number(replace(left, state=NumberState.ACTIVE))
    await ingest([event("o-1", 2, "cancelled")])
    assert (await vacate()).withdrawn == 0
    assert (await registry.number("demo", POOL[0])).state is NumberState.ACTIVE


@pytest.mark.parametrize("how", [Leaving.MOVE, Leaving.DRAIN, None])
async def test_a_binding_made_while_its_number_was_withdrawn_moves_with_the_next_sweep(
    how, ingest, withdraw, vacate, store, registry, reader, database
):
    async def withdrawn():
        assert await withdraw("demo", POOL[0], how) is None

    await IngestOrders(Meanwhile(store, withdrawn), seeded())([event("o-1", 1)])
    assert (await order(reader, "o-1")).allocation.number == POOL[0]
    assert await registry.number("demo", POOL[0]) is None

    assert (await vacate()).moved == 1
    assert (await order(reader, "o-1")).allocation.number == MAIN
    assert POOL[0] in await looked_after(database)
    async with database.acquire() as connection:
        await connection.execute("UPDATE order_binder.numbers SET updated_at = now() - interval '2 minutes'")
    await vacate()
    assert await looked_after(database) == []


async def looked_after(database):
    async with database.acquire() as connection:
        rows = await connection.fetch("SELECT e164 FROM order_binder.numbers WHERE leaving IS NOT NULL")
    return [row["e164"] for row in rows]


async def test_a_withdrawn_number_that_comes_back_is_left_alone(ingest, withdraw, vacate, registry, reader):
    await withdraw("demo", POOL[0], None)
    await registry.put_number(NumberEntry(POOL[0], "demo", NumberRole.POOL, NumberState.ACTIVE, True, None, None))
    await bound_to_the_pool_number(ingest, 1)
    assert (await vacate()).moved == 0
    assert (await order(reader, "o-1")).allocation.number == POOL[0]


async def test_case_96_a_number_changes_tenant_only_when_its_people_have_forgotten_it(
    ingest, withdraw, registry, database
):
    await bound_to_the_pool_number(ingest, 1)
    await registry.put_tenant(TenantEntry("solo", "RU", {}, ()))
    await withdraw("demo", POOL[0], Leaving.MOVE)
    put = PutNumber(registry)
    entry = NumberEntry(POOL[0], "solo", NumberRole.MAIN, NumberState.ACTIVE, True, None, None)
    with pytest.raises(NumberCooling):
        await put(entry)
    async with database.acquire() as connection:
        await connection.execute("UPDATE order_binder.slots SET kept_until = now()")
    assert (await put(entry)).tenant == "solo"


async def test_a_role_does_not_change_under_bindings(ingest, registry):
    await bound_to_the_pool_number(ingest, 1)
    used = await registry.number("demo", POOL[0])
    with pytest.raises(NumberInUse):
        await registry.put_number(replace(used, role=NumberRole.DESK))
    await ingest([event("o-1", 2, "cancelled")])
    assert (await registry.put_number(replace(used, role=NumberRole.DESK))).role is NumberRole.DESK
