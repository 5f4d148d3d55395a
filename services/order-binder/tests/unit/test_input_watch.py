"""Who says how far the input is: the process that has a partition, and only of what it has seen."""

from datetime import timedelta

import pytest
from binder_fakes import NOW
from prometheus_client import CollectorRegistry

from fareline_chassis.kafka.delivery import PartitionProgress
from order_binder.inbound.clock import InputWatch
from order_binder.inbound.metrics import BinderMetrics
from order_binder.ports.progress import InputProgress
from order_binder.usecases.follow_input import NEVER


class Input:
    """Partitions as Kafka tells of them, the record that is kept of them, and a clock in hand."""

    def __init__(self):
        self.now, self.count, self.mine = NOW, 3, {}
        self.noted, self.expected = [], []
        self.registry = CollectorRegistry()
        self.watch = InputWatch(
            self.progress, self.partitions, self, BinderMetrics(self.registry), clock=lambda: self.now
        )

    async def progress(self):
        return {index: PartitionProgress(*place) for index, place in self.mine.items()}

    async def partitions(self):
        return self.count

    async def note(self, progress):
        self.noted.extend(progress)

    async def expect(self, partitions, since):
        self.expected.append((partitions, since))


@pytest.fixture
def scene():
    return Input()


async def test_only_a_partition_with_nothing_left_to_do_is_done_up_to_now(scene):
    scene.mine = {0: (7, 7), 1: (5, 9)}
    await scene.watch.step()
    assert scene.noted == [InputProgress(0, NOW, 7)]
    assert scene.registry.get_sample_value("fareline_binder_input_lag_records") == 4


async def test_a_process_without_partitions_says_nothing(scene):
    await scene.watch.step()
    assert scene.noted == []


async def test_an_added_partition_counts_as_undone_since_the_last_count(scene):
    await scene.watch.step()
    scene.now += timedelta(seconds=10)
    await scene.watch.step()
    scene.now, scene.count = scene.now + timedelta(seconds=25), 5
    await scene.watch.step()
    assert scene.expected == [(3, NEVER), (5, NOW)]
