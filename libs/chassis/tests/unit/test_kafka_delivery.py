import pytest
from aiokafka import ConsumerRecord
from faststream import AckPolicy
from faststream.kafka import KafkaBroker, KafkaRouter
from hypothesis import given
from hypothesis import strategies as st

from fareline_chassis.kafka.consumer import LossyAckPolicy, assert_at_least_once, build_broker, declare_batch_subscriber
from fareline_chassis.kafka.delivery import PartitionProgress, first_offsets, next_offsets


def raw(partition: int, offset: int) -> ConsumerRecord:
    return ConsumerRecord("t", partition, offset, 0, 0, None, b"", None, 0, 0, ())


places = st.lists(st.tuples(st.integers(0, 3), st.integers(0, 2**40)), min_size=1)


@given(places)
def test_the_offsets_enclose_exactly_the_batch_of_each_partition(batch) -> None:
    records = [raw(partition, offset) for partition, offset in batch]
    first, following = first_offsets(records), next_offsets(records)

    assert {part.partition for part in first} == {partition for partition, _ in batch}
    for part, offset in first.items():
        mine = [offset for partition, offset in batch if partition == part.partition]
        assert (offset, following[part]) == (min(mine), max(mine) + 1)


@pytest.mark.parametrize(("position", "caught_up"), [(9, False), (10, True), (11, True)])
def test_caught_up_means_nothing_stands_unhandled(position: int, caught_up: bool) -> None:
    assert PartitionProgress(position, 10).caught_up is caught_up


async def ignore(records) -> None:
    """Handle nothing."""


def test_our_subscribers_are_at_least_once() -> None:
    broker = build_broker("127.0.0.1:1", client_id="test")
    declare_batch_subscriber(broker, topic="t", group="g", handler=ignore)

    assert_at_least_once(broker.faststream)


def test_a_router_that_lost_the_brokers_policy_is_found_at_start() -> None:
    broker = KafkaBroker(ack_policy=AckPolicy.NACK_ON_ERROR, logger=None)
    router = KafkaRouter()
    router.subscriber("t", group_id="g")(ignore)
    broker.include_router(router)

    with pytest.raises(LossyAckPolicy, match="ACK_FIRST"):
        assert_at_least_once(broker)


def test_a_policy_that_commits_on_error_is_found_too() -> None:
    broker = KafkaBroker(logger=None)
    broker.subscriber("t", group_id="g", ack_policy=AckPolicy.ACK)(ignore)

    with pytest.raises(LossyAckPolicy):
        assert_at_least_once(broker)
