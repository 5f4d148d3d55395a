"""Cases of the order events' table that need the database: who shares phones with whom, and what one phone then means."""

import pytest
from binder_events import POOL, event, furnish
from binder_support import seeded

from order_binder.domain.events import WrittenParty
from order_binder.domain.numbers import NumberRole, NumberState
from order_binder.domain.orders import OrderKey, Unroutable
from order_binder.domain.values import replace
from order_binder.ports.registry import NumberEntry
from order_binder.usecases.ingest_orders import IngestOrders

SOLO_POOL, SOLO_MAIN = "+74950000301", "+74950000201"
DRIVERS_PHONE = "+79030000001"


@pytest.fixture
async def ingest(store, registry):
    await furnish(registry)
    return IngestOrders(store, seeded())


@pytest.fixture
def order(reader):
    async def find(name, tenant="demo"):
        return (await reader.order(OrderKey(tenant, name)))[0]

    return find


@pytest.fixture
def keys_by(reader):
    async def find(tenant="demo", *, phone=None, code=None):
        found = await reader.find(tenant, phone=phone, code=code, limit=10)
        return {str(each.key) for each in found.orders}

    return find


async def test_case_7_whoever_calls_after_a_change_of_driver_reaches_the_new_one(ingest, order, keys_by):
    await ingest([event("o-1", 1)])
    before = await order("o-1")
    await ingest([event("o-1", 2, driver="2")])
    assert await keys_by(phone=DRIVERS_PHONE) == set()
    assert await keys_by(phone="+79030000002") == {"demo/o-1"}
    after = await order("o-1")
    assert before.allocation.driver_code not in {after.allocation.driver_code, after.allocation.client_code}


async def test_case_27_a_code_that_rests_finds_nothing_and_its_successor_does(ingest, order, keys_by):
    await ingest([event("o-1", 1)])
    before = (await order("o-1")).allocation
    await ingest([event("o-1", 2, driver="2")])
    after = (await order("o-1")).allocation
    assert after.client_code == before.client_code
    assert await keys_by(code=before.driver_code) == set()
    assert await keys_by(code=after.driver_code) == await keys_by(code=after.client_code) == {"demo/o-1"}
    assert await keys_by(code=before.driver_code, phone="+79030000002") == {"demo/o-1"}


async def test_case_8_a_clients_old_phone_leads_nowhere_and_rests(ingest, order, keys_by, database):
    await ingest([event("o-1", 1)])
    before = await order("o-1")
    await ingest([replace(event("o-1", 2), client=WrittenParty(("+79269998877",), id="c-1"))])
    assert (await order("o-1")).allocation == before.allocation
    assert await keys_by(phone="+79260000001") == set()
    assert await keys_by(phone="+79269998877") == {"demo/o-1"}
    async with database.acquire() as connection:
        rest = await connection.fetchrow(
            "SELECT peer, kept_until BETWEEN now() + interval '119 min' AND now() + interval '121 min' AS rests"
            " FROM order_binder.slots WHERE phone = '+79260000001'"
        )
    assert tuple(rest) == ("driver:id:d-1", True)


async def test_case_18_one_driver_with_three_clients_has_a_number_for_each(ingest, order):
    await ingest([event(f"o-{client}", 1, client=client) for client in "123"])
    numbers = {(await order(f"o-{client}")).allocation.number for client in "123"}
    assert len(numbers) == 3
    assert numbers <= set(POOL)


async def test_case_18_where_numbers_are_short_their_codes_tell_them_apart(store, registry, order, keys_by):
    await furnish(registry, pool=1)
    report = await IngestOrders(store, seeded())([event(f"o-{client}", 1, client=client) for client in "123"])
    assert report.pool_dry == {"demo": 2}
    found = [await order(f"o-{client}") for client in "123"]
    assert len({each.allocation.driver_code for each in found}) == 3
    for each in found:
        assert await keys_by(code=each.allocation.driver_code) == {str(each.key)}


async def test_case_44_a_phone_that_another_driver_has_by_now_is_not_taken_for_his_who_had_it(ingest, order):
    heir = WrittenParty((DRIVERS_PHONE,), id="d-2")
    await ingest([event("o-1", 1)])
    mine = await order("o-1")
    await ingest([replace(event("o-2", 1, client="2"), driver=heir)])
    assert (await order("o-2")).allocation.number != mine.allocation.number
    await ingest([replace(event("o-1", 2), driver=heir)])
    now = await order("o-1")
    assert now.terms.driver.id == "d-2"
    assert now.allocation.driver_code != mine.allocation.driver_code
    assert now.allocation.client_code == mine.allocation.client_code


async def test_case_54_a_driver_reached_abroad_or_by_satellite_only_is_none(store, registry, order):
    await furnish(registry, policy={"allowed_prefixes": ["+7"]})
    abroad = WrittenParty(("+881612345678", "+447911123456"), id="d-1")
    await IngestOrders(store, seeded())([replace(event("o-1", 1), driver=abroad)])
    found = await order("o-1")
    assert found.unroutable is Unroutable.DRIVER_WITHOUT_PHONE
    assert found.allocation is None


@pytest.mark.parametrize("side", ["client", "driver"])
async def test_case_55_nor_is_a_number_of_another_tenant(ingest, registry, order, side):
    await furnish(registry, tenant="solo", pool=0, main=SOLO_MAIN)
    masked = WrittenParty((SOLO_MAIN,), id="x")
    await ingest([replace(event("o-1", 1), **{side: masked})])
    assert (await order("o-1")).unroutable is Unroutable(f"{side}_without_phone")


async def test_case_95_the_same_people_in_two_tenants_are_two_bindings(ingest, registry, order, keys_by):
    await furnish(registry, tenant="solo", pool=0, main=SOLO_MAIN)
    await registry.put_number(NumberEntry(SOLO_POOL, "solo", NumberRole.POOL, NumberState.ACTIVE, True, None, None))
    twin = OrderKey("solo", "o-1")
    await ingest([event("o-1", 1), replace(event("o-1", 1), key=twin)])
    mine, theirs = await order("o-1"), await order("o-1", "solo")
    assert mine.allocation.number in POOL
    assert theirs.allocation.number == SOLO_POOL
    assert await keys_by("solo", phone=DRIVERS_PHONE) == {"solo/o-1"}
    assert await keys_by("solo", code=mine.allocation.driver_code) <= {"solo/o-1"}

    await ingest([event("o-1", 2, "cancelled")])
    assert await keys_by(phone=DRIVERS_PHONE) == set()
    assert await keys_by("solo", phone=DRIVERS_PHONE) == {"solo/o-1"}
    assert await order("o-1", "solo") == theirs
