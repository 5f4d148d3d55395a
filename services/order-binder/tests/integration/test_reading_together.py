"""Apps that ask at the same moment are answered by one statement, each about his own order."""

import asyncio

import pytest
from binder_events import event, furnish
from binder_support import seeded
from counted_database import Counted

from fareline_chassis.health import HealthComponent
from order_binder.domain.orders import OrderKey
from order_binder.outbound.reading import PostgresReader
from order_binder.usecases.ingest_orders import IngestOrders


@pytest.fixture
async def counted(binder_url):
    found = Counted(binder_url, 1, 2, HealthComponent("postgres"))
    await found.connect()
    yield found
    await found.close()


async def test_a_hundred_apps_ask_and_each_hears_of_its_own_order(store, registry, database, counted):
    await furnish(registry)
    await IngestOrders(store, seeded())([event(f"o-{n}", n, driver=str(n), client=str(n)) for n in range(1, 51)])
    async with database.acquire() as connection:
        await connection.execute("UPDATE order_binder.orders SET document = '{}' WHERE order_id = 'o-7'")
    reader = PostgresReader(counted)
    asked = [OrderKey("demo", f"o-{n}") for n in range(1, 101)] + [OrderKey("other", "o-1")]

    found = await asyncio.gather(*map(reader.order, asked), return_exceptions=True)

    assert counted.taken == 1
    assert isinstance(found[6], Exception)  # a row that cannot be read is nobody else's trouble
    answers = {
        key.order_id: answer[0] for key, answer in zip(asked[:100], found, strict=False) if key.order_id != "o-7"
    }
    assert {name: order.version for name, order in answers.items() if order} == {
        f"o-{n}": n for n in range(1, 51) if n != 7
    }
    assert found[100][0] is None
    assert (await reader.order(OrderKey("demo", "o-1")))[1] > found[0][1]
