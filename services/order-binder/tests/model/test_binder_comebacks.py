"""Histories that random play once found fault with, written down so that they are tried every time."""

from datetime import timedelta

import pytest
from binder_events import event
from model_world import BEGINNING, World

DAY = timedelta(days=1)
KEY = b"demo/o-1"


@pytest.fixture
async def world(database_url):
    found = World(database_url)
    await found.build()
    await found.empty(1)
    await found.put_tenant("demo", {"windows": {"cool_down": 0}})
    await found.put_number("demo", "+74950000101", "pool")
    await found.put_number("demo", "+74950000001", "main")
    yield found
    await found.close()


def at(world, order_id, version, status="accepted", **changes):
    """Return an event that happens at the world's time."""
    return event(order_id, version, status, status_changed_at=world.now, caused_at=world.now, **changes)


async def codes_of(world, name):
    allocation = (await world.orders())[f"demo/{name}"].allocation
    return {allocation.driver_code, allocation.client_code}


async def test_an_order_comes_back_whose_codes_are_somebody_elses_by_now(world):
    await world.ingest([at(world, "o-1", 1)])
    mine = await codes_of(world, "o-1")
    await world.ingest([at(world, "o-1", 2, "cancelled")])
    await world.pass_time(DAY)
    async with world.database.acquire() as connection:
        await connection.execute(
            "UPDATE order_binder.codes SET order_id = 'o-2', held_until = $1", BEGINNING + timedelta(days=9)
        )
    await world.ingest([at(world, "o-1", 3, driver="2", client="2")])
    assert not mine & await codes_of(world, "o-1")


async def test_a_code_that_is_kept_is_not_drawn_for_another_order_of_the_same_batch(world):
    await world.ingest([at(world, "o-2", 1)])
    mine = await codes_of(world, "o-2")
    await world.ingest([at(world, "o-2", 2, "cancelled")])
    await world.pass_time(DAY)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            "order_binder.usecases.allocate_orders.draw_codes",
            lambda count, digits, below: [*sorted(mine), "140285", "250396", "361407", "472518", "583629"],
        )
        await world.ingest([at(world, "o-1", 1, driver="3", client="3"), at(world, "o-2", 3)])
    assert not await codes_of(world, "o-1") & await codes_of(world, "o-2")


async def test_a_tombstone_is_not_lost_to_a_late_event(world):
    await world.ingest([at(world, "o-1", 1)])
    await world.settle()
    assert world.topic.fold()[KEY].value
    await world.pass_time(4 * DAY)
    await world.sweep()
    await world.ingest([at(world, "o-1", 2, "cancelled")])
    await world.settle()
    assert world.topic.fold()[KEY].value is None
