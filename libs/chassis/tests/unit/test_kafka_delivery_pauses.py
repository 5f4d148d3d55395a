"""A batch that waits for its next attempt holds up neither a stop nor a rebalance."""

import asyncio
from datetime import timedelta

import pytest
from aiokafka import ConsumerRecord, TopicPartition
from structlog.testing import capture_logs

from fareline_chassis.backoff import Backoff
from fareline_chassis.kafka.delivery import BatchDelivery

HOUR = timedelta(hours=1)
PLACE = TopicPartition("t", 0)
BATCH = (ConsumerRecord("t", 0, 7, 0, 0, None, b"", None, 0, 0, ()),)


@pytest.fixture(autouse=True)
def logs():
    with capture_logs() as lines:
        yield lines


class Consumer:
    """What delivery asks of a consumer."""

    def __init__(self):
        self.rewound, self.committed = [], []

    def seek(self, partition, offset):
        self.rewound.append((partition, offset))

    async def commit(self, offsets):
        self.committed.append(offsets)


class Failing:
    """A handler that always fails; `began` is set when it was called."""

    def __init__(self):
        self.began, self.calls = asyncio.Event(), 0

    async def __call__(self, records):
        self.calls += 1
        self.began.set()
        raise RuntimeError("never works")


async def pausing(handler, consumer):
    """Return a delivery that waits an hour for its next attempt, and the task that waits."""
    delivery = BatchDelivery(handler, consumer=lambda: consumer, logical_names={}, backoff=Backoff(HOUR, HOUR))
    delivery.accept(BATCH)
    task = asyncio.create_task(delivery.deliver(BATCH))
    await handler.began.wait()
    return delivery, task


async def test_partitions_go_elsewhere_without_waiting_for_the_pause():
    consumer, handler = Consumer(), Failing()
    delivery, task = await pausing(handler, consumer)

    async with asyncio.timeout(30):
        await delivery.on_partitions_revoked({PLACE})
        await task

    assert (consumer.rewound, consumer.committed) == ([(PLACE, 7)], [])


async def test_after_a_rebalance_pauses_are_pauses_again():
    consumer, handler = Consumer(), Failing()
    delivery, task = await pausing(handler, consumer)
    await delivery.on_partitions_revoked({PLACE})
    await task

    handler.began.clear()
    delivery.accept(BATCH)
    again = asyncio.create_task(delivery.deliver(BATCH))
    await handler.began.wait()
    for _ in range(50):
        await asyncio.sleep(0)
    assert not again.done()
    delivery.stop()
    await again


async def test_stopping_ends_the_pause_and_begins_nothing_new():
    consumer, handler = Consumer(), Failing()
    delivery, task = await pausing(handler, consumer)

    async with asyncio.timeout(30):
        delivery.stop()
        await task
        delivery.accept(BATCH)
        await delivery.deliver(BATCH)

    assert (handler.calls, consumer.committed) == (1, [])
