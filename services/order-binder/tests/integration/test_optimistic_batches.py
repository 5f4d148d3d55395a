"""A batch locks nothing while it is decided: what somebody else changes meanwhile is found when it is written."""

from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

import pytest
from binder_events import event, furnish
from binder_support import seeded
from meanwhile import Meanwhile
from model_world import World

from order_binder.domain.lifecycle import Outcome
from order_binder.domain.orders import OrderKey
from order_binder.outbound.bindings import PostgresBindings
from order_binder.ports.bindings import LostRace
from order_binder.ports.progress import InputProgress
from order_binder.usecases.ingest_orders import IngestOrders
from order_binder.usecases.sweep_windows import SweepWindows

TABLES = ("orders", "slots", "codes", "input_progress")
KEY = OrderKey("demo", "o-1")


@pytest.fixture(autouse=True, params=[10, 0], ids=["pool", "main number"])
async def furnished(registry, request):
    """On the main number there are no slots, which would tell of most changes by themselves."""
    await furnish(registry, pool=request.param)


@pytest.fixture
def ingest(store):
    return IngestOrders(store, seeded(1))


async def written(database):
    async with database.acquire() as connection:
        return {table: await connection.fetch(f"SELECT * FROM order_binder.{table} ORDER BY 1, 2") for table in TABLES}


async def test_an_order_that_somebody_changed_meanwhile_is_decided_anew(store, ingest, reader):
    await ingest([event("o-1", 1)])
    meanwhile = Meanwhile(store, lambda: ingest([event("o-1", 2, driver="2")]))
    report = await IngestOrders(meanwhile, seeded(2))([event("o-1", 3, driver="2")])
    order, _ = await reader.order(KEY)
    assert (meanwhile.done, report.outcomes) == (1, {Outcome.CHANGED: 1})
    assert (order.version, order.terms.driver.id) == (3, "d-2")


async def test_what_is_older_than_what_came_meanwhile_is_stale(store, ingest, reader):
    await ingest([event("o-1", 1)])
    meanwhile = Meanwhile(store, lambda: ingest([event("o-1", 3, "cancelled")]))
    report = await IngestOrders(meanwhile, seeded(2))([event("o-1", 2)])
    order, _ = await reader.order(KEY)
    assert (report.outcomes, order.version, order.ended(datetime.now(UTC))) == ({Outcome.STALE: 1}, 3, True)


async def test_an_order_that_somebody_else_brought_first_is_decided_anew(store, ingest, reader):
    meanwhile = Meanwhile(store, lambda: ingest([event("o-1", 1)]))
    report = await IngestOrders(meanwhile, seeded(2))([event("o-1", 2, "arrived")])
    order, _ = await reader.order(KEY)
    assert (meanwhile.done, report.outcomes, order.version) == (1, {Outcome.CHANGED: 1}, 2)


async def test_an_order_that_was_swept_away_meanwhile_begins_anew(store, ingest, reader, database):
    await ingest([event("o-1", 1, "cancelled")])

    async def swept_away():
        async with database.acquire() as connection:
            await connection.execute(
                "UPDATE order_binder.orders SET purge_after = now(), published_revision = revision"
            )
        assert (await SweepWindows(store)()).purged

    report = await IngestOrders(Meanwhile(store, swept_away), seeded(2))([event("o-1", 2)])
    assert report.outcomes == {Outcome.OPENED: 1}
    assert (await reader.order(KEY))[0].version == 2


async def test_nobody_waits_for_a_batch_that_is_being_decided(store, ingest, database):
    await ingest([event("o-1", 1)])

    async def take_everything():
        async with database.transaction() as connection:
            for table in (*TABLES, "tenants", "numbers"):
                found = await connection.fetch(f"SELECT FROM order_binder.{table} FOR UPDATE NOWAIT")
                assert found or table in ("slots", "input_progress")

    meanwhile = Meanwhile(store, take_everything)
    await IngestOrders(meanwhile, seeded(2))([event("o-1", 2, driver="2")])
    assert meanwhile.done == 1


async def test_who_loses_again_and_again_writes_nothing_at_all(store, ingest, database):
    """Another order, a slot that somebody took and the input's progress stand in the same batch: none is written."""
    await ingest([event("o-1", 1)])
    stands = []

    async def somebody_is_faster():
        if stands:
            assert await written(database) == stands[-1]
        await ingest([event("o-1", 2 + len(stands), driver=str(2 + len(stands) % 2))])
        stands.append(await written(database))

    late = IngestOrders(Meanwhile(store, *[somebody_is_faster] * 8), seeded(2))
    with pytest.raises(LostRace):
        await late([event("o-1", 100, driver="9"), event("o-2", 1)], [InputProgress(0, datetime.now(UTC), 5)])
    assert len(stands) == 8
    assert await written(database) == stands[-1]


async def test_the_codes_that_somebody_has_by_now_are_named(store, database):
    lost = {}

    async def their_code_goes():
        lost["code"] = lost["unit"].batch.codes[0].code
        async with database.acquire() as connection:
            await connection.execute(
                "INSERT INTO order_binder.codes VALUES ('demo', $1, 'o-9', 'driver', now() + interval '1 hour')",
                lost["code"],
            )

    class Remembering(Meanwhile):
        @asynccontextmanager
        async def optimistic(self):
            async with super().optimistic() as unit:
                lost["unit"] = unit
                try:
                    yield unit
                except LostRace as race:
                    lost["named"] = race.codes
                    raise

    await IngestOrders(Remembering(store, their_code_goes), seeded(2))([event("o-1", 1)])
    assert lost["named"] == {("demo", lost["code"])}
    async with database.acquire() as connection:
        assert await connection.fetchval("SELECT count(*) FROM order_binder.codes WHERE order_id = 'o-1'") == 2


@pytest.mark.parametrize(("seconds", "looked_again"), [(30, False), (31, True)])
async def test_whoever_was_frozen_looks_again(seconds, looked_again, database_url):
    """What he knows of policies, numbers and the time may have passed long ago, though nobody touched the order."""
    world = World(database_url)
    await world.build()
    await world.empty(1)
    await world.put_tenant("demo", {})
    await world.put_number("demo", "+74950000001", "main")
    began = world.now

    async def freeze():
        await world.pass_time(timedelta(seconds=seconds))
        await world.put_tenant("demo", {"calls": {"record": False}})

    meanwhile = Meanwhile(PostgresBindings(world.database), freeze)
    await IngestOrders(meanwhile, seeded(1))([event("o-1", 1, status_changed_at=began, caused_at=began)])
    order = (await world.orders())["demo/o-1"]
    await world.close()
    assert order.terms.call.record != looked_again
    assert order.updated_at == (world.now if looked_again else began)
