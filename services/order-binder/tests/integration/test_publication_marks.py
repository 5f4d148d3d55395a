"""Marking what was sent waits for nobody: who has a row locked changes it, and it is published anew."""

import asyncio

import pytest
from binder_events import event, furnish
from binder_support import seeded

from order_binder.outbound.publication import BindingSource
from order_binder.usecases.ingest_orders import IngestOrders


@pytest.fixture
async def source(database, store, registry):
    await furnish(registry)
    await IngestOrders(store, seeded())([event("o-1", 1), event("o-2", 1, client="2")])
    return BindingSource(database, 1, published=lambda _: None)


async def unpublished(source):
    return {row.key for row in await source.unpublished(0, 10)}


async def test_a_row_that_somebody_changes_stays_unpublished_and_the_others_do_not_wait(source, database):
    sent = [(row.key, row.revision) for row in await source.unpublished(0, 10)]
    async with database.transaction() as changing:
        await changing.execute("SELECT FROM order_binder.orders WHERE order_id = 'o-1' FOR UPDATE")
        async with asyncio.timeout(20):
            await source.mark(sent)
        assert await unpublished(source) == {b"demo/o-1"}
    await source.mark(sent)
    assert await unpublished(source) == set()


async def test_an_older_revision_marks_nothing(source):
    sent = [(row.key, row.revision) for row in await source.unpublished(0, 10)]
    await source.mark([(key, revision - 1) for key, revision in sent])
    assert await unpublished(source) == {b"demo/o-1", b"demo/o-2"}
