"""Offsets are committed beside the next batch, in order, and before anybody else gets the partition."""

import asyncio

import pytest
from aiokafka import ConsumerRecord, TopicPartition
from aiokafka.errors import CommitFailedError
from structlog.testing import capture_logs

from fareline_chassis.kafka.delivery import BatchDelivery

PLACE = TopicPartition("t", 0)


def batch(offset: int):
    return (ConsumerRecord("t", 0, offset, 0, 0, None, b"", None, 0, 0, ()),)


class Consumer:
    """Commits when it is let."""

    def __init__(self):
        self.asked, self.may = [], asyncio.Event()
        self.fail = False

    async def commit(self, offsets):
        self.asked.append(dict(offsets))
        await self.may.wait()
        if self.fail:
            raise CommitFailedError


@pytest.fixture
def consumer():
    return Consumer()


@pytest.fixture
def delivery(consumer):
    async def handle(records):
        pass

    return BatchDelivery(handle, consumer=lambda: consumer, logical_names={})


async def deliver(delivery, offset):
    delivery.accept(batch(offset))
    async with asyncio.timeout(30):
        await delivery.deliver(batch(offset))
    for _ in range(5):
        await asyncio.sleep(0)


async def test_the_next_batches_wait_for_no_commit_and_share_one(delivery, consumer):
    for offset in (7, 8, 9):
        await deliver(delivery, offset)
    assert consumer.asked == [{PLACE: 8}]

    consumer.may.set()
    await delivery.settled()
    assert consumer.asked == [{PLACE: 8}, {PLACE: 10}]


async def test_partitions_go_elsewhere_only_when_it_is_committed(delivery, consumer):
    await deliver(delivery, 7)
    leaving = asyncio.create_task(delivery.on_partitions_revoked({PLACE}))
    for _ in range(5):
        await asyncio.sleep(0)
    assert not leaving.done()

    consumer.may.set()
    async with asyncio.timeout(30):
        await leaving


async def test_a_commit_that_fails_is_told_and_holds_nothing_up(delivery, consumer):
    consumer.fail = True
    consumer.may.set()
    with capture_logs() as lines:
        await deliver(delivery, 7)
        await delivery.settled()
    assert [line["event"] for line in lines] == ["kafka.commit_failed"]
    consumer.fail = False
    await deliver(delivery, 8)
    assert consumer.asked[-1] == {PLACE: 9}
