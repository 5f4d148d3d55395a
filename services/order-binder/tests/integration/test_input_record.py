"""The record of the input, from which every heartbeat is made, on a real database."""

from datetime import UTC, datetime, timedelta

from order_binder.ports.progress import InputProgress
from order_binder.usecases.follow_input import FollowInput


async def test_input_partitions_that_nobody_processes_cannot_be_hidden(store, reader):
    follow = FollowInput(store)

    async def input_as_of():
        return (await reader.find("demo", phone="+79030000001", code=None, limit=1)).input_as_of

    now = datetime.now(UTC)
    await follow.expect(3)
    await follow.note([InputProgress(0, now, 5), InputProgress(1, now, 5)])
    assert await input_as_of() is None
    await follow.note([InputProgress(2, now - timedelta(minutes=9), 5)])
    assert await input_as_of() == now - timedelta(minutes=9)
    await follow.note([InputProgress(n, now + timedelta(days=1), 6) for n in range(3)])
    assert (await input_as_of()) - now < timedelta(minutes=1)
    await follow.expect(5, now - timedelta(seconds=30))
    assert await input_as_of() == now - timedelta(seconds=30)
    await follow.expect(3)
    assert await input_as_of() >= now


async def test_a_clock_that_was_set_back_hides_nothing_that_is_still_to_be_done(store, reader, database):
    follow = FollowInput(store)
    await follow.expect(1)
    async with database.acquire() as connection:
        await connection.execute("UPDATE order_binder.input_progress SET as_of = now() + interval '1 hour'")
    before = datetime.now(UTC)
    await follow.note([InputProgress(0, before - timedelta(minutes=9), 5)])
    found = await reader.find("demo", phone="+79030000001", code=None, limit=1)
    assert found.input_as_of - before < timedelta(minutes=30)
