"""Marking rows as sent, or as to be sent again, waits for nobody: whoever has them locked may wait for others of them."""

import asyncio

import pytest
from binder_events import event, furnish
from binder_support import seeded

from order_binder.outbound.publication import BindingSource, number_source, tenant_source
from order_binder.usecases.ingest_orders import IngestOrders


@pytest.fixture
async def source(database, store, registry):
    await furnish(registry)
    await IngestOrders(store, seeded())([event("o-1", 1), event("o-2", 1, client="2")])
    return BindingSource(database, 1, published=lambda _: None)


async def unpublished(source):
    return {row.key for row in await source.unpublished(0, 100)}


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


async def test_what_is_to_be_sent_again_waits_for_nobody_and_says_what_was_locked(source, database):
    keys = [b"demo/o-1", b"demo/o-2", b"demo/o-3"]
    await source.mark([(row.key, row.revision) for row in await source.unpublished(0, 10)])
    async with database.transaction() as batch:
        await batch.execute("SELECT FROM order_binder.orders WHERE order_id = 'o-2' FOR UPDATE")
        async with asyncio.timeout(20):
            assert await source.mark_dirty(keys) == [b"demo/o-2"]
        await batch.execute("SELECT FROM order_binder.orders WHERE order_id = 'o-1' FOR UPDATE")
    assert await unpublished(source) == {b"demo/o-1"}
    assert await source.mark_dirty([b"demo/o-2"]) == []
    assert await unpublished(source) == {b"demo/o-1", b"demo/o-2"}


async def test_a_late_mark_of_what_was_sent_before_a_repair_does_not_undo_it(source):
    sent = [(row.key, row.revision) for row in await source.unpublished(0, 10)]
    await source.mark(sent)
    assert await source.mark_dirty([key for key, _ in sent]) == []
    await source.mark(sent)
    assert await unpublished(source) == {b"demo/o-1", b"demo/o-2"}
    renewed = [(row.key, row.revision) for row in await source.unpublished(0, 10)]
    assert all(dict(sent)[key] < revision for key, revision in renewed)
    await source.mark(renewed)
    assert await unpublished(source) == set()


async def test_a_repair_rises_above_a_revision_that_only_the_topic_has(source, database):
    """As after a backup was restored: the topic knows more than the database, and a revision plus one is not enough."""
    async with database.acquire() as connection:
        await connection.execute("UPDATE order_binder.orders SET revision = 3, published_revision = 3")
    before = await source.now()
    await source.mark_dirty([b"demo/o-1"])
    (row,) = await source.unpublished(0, 10)
    assert row.revision >= before.timestamp() * 1_000_000


async def test_tenants_and_numbers_wait_for_nobody_either(database, registry):
    await furnish(registry)
    for source, table in ((tenant_source(database, 1), "tenants"), (number_source(database, 1), "numbers")):
        sent = {row.key: row.revision for row in await source.unpublished(0, 100)}
        async with database.transaction() as changing, asyncio.timeout(20):
            await changing.execute(f"SELECT FROM order_binder.{table} FOR UPDATE")
            await source.mark(list(sent.items()))
            assert await unpublished(source) == set(sent)
        await source.mark(list(sent.items()))
        assert await unpublished(source) == set()
        async with database.transaction() as changing, asyncio.timeout(20):
            await changing.execute(f"SELECT FROM order_binder.{table} FOR UPDATE")
            assert sorted(await source.mark_dirty([*sent, b"nobody"])) == sorted(sent)
        assert await source.mark_dirty([*sent, b"nobody"]) == []
        await source.mark(list(sent.items()))
        assert await unpublished(source) == set(sent)
