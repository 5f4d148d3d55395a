"""How soon an order event is routable is measured by what order events did, and by nothing else."""

import time
from datetime import UTC, datetime, timedelta

import pytest
from prometheus_client import CollectorRegistry
from router_records import bound

from call_router.inbound.kafka import ReplicaFeed
from call_router.inbound.observing import Observer
from call_router.replica.freshness import Freshness
from call_router.replica.store import ReplicaStore
from fareline_chassis.kafka.records import InRecord

TOMORROW = datetime.now(UTC) + timedelta(days=1)


class Fed:
    """A feed whose clock shows tomorrow, and what it has measured."""

    def __init__(self):
        self.store, self.metrics = ReplicaStore(), CollectorRegistry()
        self.freshness = Freshness(time.monotonic, lambda: TOMORROW)
        self._feed = ReplicaFeed(self.store, self.freshness, Observer(self.metrics, {}), lambda: TOMORROW)

    def take(self, record):
        self._feed.take_one(InRecord(record.topic, 0, 0, 0, record.key, record.value, record.headers))

    @property
    def measured(self):
        return self.metrics.get_sample_value("fareline_binding_freshness_seconds_count")


@pytest.fixture
async def fed():
    return Fed()


async def test_an_order_event_is_measured_once(fed):
    fed.freshness.filled.set()
    fed.take(bound(revision=1))
    fed.take(bound(revision=1))
    fed.take(bound(revision=5, order_version=2))
    assert fed.measured == 2
    assert fed.metrics.get_sample_value("fareline_binding_freshness_seconds_sum") > 2 * 80_000


async def test_what_only_the_clock_or_a_repair_changed_is_not(fed):
    fed.freshness.filled.set()
    fed.take(bound(revision=1, order_version=1))
    fed.take(bound(revision=2, order_version=1))
    assert fed.store.bindings.get("demo", "o-1").revision == 2
    assert fed.measured == 1


async def test_nor_is_what_is_there_already_when_the_replica_fills(fed):
    fed.take(bound())
    assert fed.measured == 0
