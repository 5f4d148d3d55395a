"""When the snapshot is read and written, and what it says of the topics."""

from datetime import timedelta

import pytest
from prometheus_client import CollectorRegistry
from router_world import T0

from call_router.inbound.observing import Observer
from call_router.inbound.snapshots import Snapshots
from call_router.ports import SnapshotUnusable
from call_router.records.topics_read import TopicsRead
from call_router.replica.freshness import Freshness
from call_router.replica.snapshot import SnapshotHead

BOTH = TopicsRead({"b": "1", "c": "2"}, {"b": {0: 7}, "c": {0: 9}}, T0)


class File:
    """A snapshot on a disk that does as it is told."""

    def __init__(self, head=None, error=None):
        self.head, self.error, self.written = head, error, []

    async def restore(self):
        if self.error is not None:
            raise self.error
        return self.head

    async def write(self, read, input_as_of, now):
        if self.error is not None:
            raise self.error
        self.written.append((read, input_as_of))
        return 1


class Reader:
    """A task that reads topics."""

    def __init__(self, read=None):
        self.read, self.went_on_from = read, None

    def go_on_from(self, read):
        self.went_on_from = read

    def read_so_far(self):
        return self.read


def snapshots(file, replica, calls, freshness=None):
    return Snapshots(
        file,
        replica=replica,
        calls=calls,
        age=freshness or Freshness(lambda: 0.0, lambda: T0),
        every=timedelta(minutes=5),
        clock=lambda: T0,
        observer=Observer(CollectorRegistry(), {}),
    )


async def test_a_good_one_is_gone_on_from_by_both_readers():
    freshness = Freshness(lambda: 0.0, lambda: T0 + timedelta(seconds=9))
    replica, calls = Reader(), Reader()
    file = File(SnapshotHead(1, BOTH, {0: T0}))
    assert await snapshots(file, replica, calls, freshness).restore()
    assert replica.went_on_from == calls.went_on_from == BOTH
    assert (freshness.stale, freshness.unsure, freshness.age(T0 + timedelta(seconds=9))) == (
        True,
        True,
        timedelta(seconds=9),
    )
    freshness.filled.set()
    assert not freshness.stale


@pytest.mark.parametrize("error", [SnapshotUnusable("cut short"), RuntimeError("who would have thought")])
async def test_none_whatever_is_wrong_with_it_keeps_a_router_from_starting(error):
    replica = Reader()
    assert not await snapshots(File(error=error), replica, Reader()).restore()
    assert replica.went_on_from is None


async def test_each_reader_answers_for_its_own_topics():
    file = File()
    replica = Reader(TopicsRead({"b": "new"}, {"b": {0: 8}}, T0))
    await snapshots(file, replica, Reader(BOTH.only("c"))).write()
    ((read, _),) = file.written
    assert read == TopicsRead({"b": "new", "c": "2"}, {"b": {0: 8}, "c": {0: 9}}, T0)


async def test_nothing_is_written_before_the_replica_was_ever_filled():
    file = File()
    await snapshots(file, Reader(), Reader(BOTH)).write()
    assert file.written == []


async def test_a_disk_that_refuses_is_only_noted():
    await snapshots(File(error=OSError(28, "full")), Reader(BOTH), Reader()).write_last()
