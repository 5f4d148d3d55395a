"""What happens when there is a lot of something: codes in use, rows that are over, a row that cannot be read."""

import json

import pytest
from binder_events import event, furnish
from binder_support import seeded

from order_binder.domain.orders import OrderKey
from order_binder.outbound.publication import BindingSource
from order_binder.usecases.ingest_orders import IngestOrders
from order_binder.usecases.sweep_windows import SweepWindows

LIVE_CODES = """
INSERT INTO order_binder.codes (tenant, code, order_id, role, held_until)
SELECT 'demo', lpad(n::text, 6, '0'), 'busy', 'driver', now() + $2::text::interval FROM generate_series(1, $1::integer) AS n
"""
OVER = """
INSERT INTO order_binder.slots (number, phone, peer, holds, kept_until, follows)
SELECT '+74950000101', '+7903' || lpad(n::text, 7, '0'), 'client:id:x', '{}', now() - interval '1 min', 0
FROM generate_series(1, $1) AS n
"""


@pytest.fixture
async def ingest(store, registry):
    await furnish(registry)
    return IngestOrders(store, seeded())


async def run(database, query, *arguments):
    async with database.acquire() as connection:
        return await connection.fetch(query, *arguments)


async def test_codes_get_longer_before_the_space_is_crowded(ingest, store, database, reader):
    await run(database, LIVE_CODES, 20_001, "1 hour")
    await store.estimates.count()
    report = await ingest([event("o-1", 1)])
    order, _ = await reader.order(OrderKey("demo", "o-1"))
    assert len(order.allocation.driver_code) == len(order.allocation.client_code) == 7
    assert report.longer_codes == {"demo": 7}


async def test_codes_stay_as_the_policy_says_while_there_is_room(ingest, store, database, reader):
    await run(database, LIVE_CODES, 20_000, "1 hour")
    await store.estimates.count()
    report = await ingest([event("o-1", 1)])
    assert len((await reader.order(OrderKey("demo", "o-1")))[0].allocation.driver_code) == 6
    assert report.longer_codes == {}


async def test_one_sweep_clears_away_all_that_is_over(store, database):
    await run(database, LIVE_CODES, 1100, "-1 min")
    await run(database, OVER, 700)
    assert (await SweepWindows(store, batch=500)()).purged == 1800
    for table in ("codes", "slots"):
        assert (await run(database, f"SELECT count(*) FROM order_binder.{table}"))[0][0] == 0


async def test_a_row_that_cannot_be_made_a_record_holds_up_no_other(ingest, database):
    await ingest([event("o-1", 1), event("o-2", 1, driver="2", client="2"), event("o-3", 1, driver="3", client="3")])
    await run(
        database,
        "UPDATE order_binder.orders SET document = $1 WHERE order_id = 'o-2'",
        json.loads('{"terms": {"driver": null}, "allocation": null}'),
    )
    counted = []
    source = BindingSource(database, 1, published=lambda _: None, unpublishable=lambda: counted.append(1))
    assert [row.key for row in await source.unpublished(0, 10)] == [b"demo/o-1", b"demo/o-3"]
    assert [row.key for row in await source.live(0, None, 10)] == [b"demo/o-1", b"demo/o-3"]
    assert len(counted) == 2
