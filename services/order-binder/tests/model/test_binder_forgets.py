"""Whom an order bound last is forgotten a day after its end, by the database and by the model of the random histories."""

from datetime import timedelta

import pytest
from model_checks import Checks
from model_events import POOL
from model_world import World

from order_binder.domain.events import OrderEvent, WrittenParty
from order_binder.domain.orders import OrderKey, OrderStatus

DAY = timedelta(days=1)
DRIVER = "+79030000001"
(NUMBER,) = POOL["bare"]


class Script:
    """A history of one order that is written down, held to the model as the random ones are."""

    def __init__(self, world: World, tenant: str) -> None:
        self.world, self.checks, self.version = world, Checks(), 0
        self.key = OrderKey(tenant, "o-1")

    async def happens(self, status: str, driver: str | None = DRIVER, *, ago: timedelta = timedelta()) -> None:
        """The platform says something of the order, and it arrives at once."""
        self.version += 1
        now = self.world.now
        event = OrderEvent(
            key=self.key,
            version=self.version,
            status=OrderStatus(status),
            status_changed_at=now - ago,
            client=WrittenParty(("+79030000003",), id="c-1"),
            caused_at=now,
            driver=driver and WrittenParty((driver,), id=f"d-{driver}"),
        )
        await self.world.ingest([event])
        self.checks.deliver([event], now)
        await self.agrees()

    async def passes(self, span: timedelta) -> None:
        """Time passes, and the sweeper comes by."""
        await self.world.pass_time(span)
        await self.world.sweep()
        self.checks.swept(await self.world.orders(), self.world.now)
        await self.agrees()

    async def agrees(self) -> None:
        """Compare database and model, as after each step of a random history."""
        self.checks.step(await self.world.orders(), self.world.now)

    async def knows_the_driver(self) -> bool:
        """Whether database and model both remember who the driver was; they have to agree on that as well."""
        terms = (await self.world.orders())[str(self.key)].terms
        assert (terms is None) == (self.checks.expected[str(self.key)].driver is None)
        return terms is not None


@pytest.fixture
async def world(database_url):
    found = World(database_url)
    await found.build()
    await found.empty(1)
    yield found
    await found.close()


async def test_whom_no_number_could_be_lent_to_is_forgotten_as_well(world):
    script = Script(world, "bare")
    await world.furnish(script.checks.rules)
    await world.put_number("bare", NUMBER, "pool", "resting")
    script.checks.states[NUMBER] = "resting"
    await script.happens("accepted")
    await script.passes(DAY - timedelta(seconds=1))
    assert await script.knows_the_driver()
    await script.passes(timedelta(seconds=1))
    assert not await script.knows_the_driver()
    await world.put_number("bare", NUMBER, "pool", "active")
    script.checks.states[NUMBER] = "active"
    await script.happens("completed", None)
    assert not await script.knows_the_driver()


async def test_who_completed_long_ago_is_forgotten_a_day_after_the_grace_that_he_had_then(world):
    script = Script(world, "north")
    await world.furnish(script.checks.rules)
    await script.happens("accepted")
    await script.happens("completed", ago=timedelta(hours=50))
    assert await script.knows_the_driver()
    await script.passes(timedelta())
    assert not await script.knows_the_driver()
    await script.happens("completed", None)
    assert not await script.knows_the_driver()


async def test_another_driver_who_completed_long_ago_ends_what_was_open_now(world):
    script = Script(world, "north")
    await world.furnish(script.checks.rules)
    await script.happens("accepted")
    await script.happens("completed", "+79030000002", ago=timedelta(hours=50))
    await script.passes(DAY - timedelta(seconds=1))
    assert await script.knows_the_driver()
    await script.happens("completed", None)
    assert await script.knows_the_driver()
