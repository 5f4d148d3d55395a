"""A large batch is shared out among transactions; what becomes of it is the same as of a small one."""

import asyncpg
import pytest
from binder_fakes import NOW, IngestInMemory, consumer_with
from binder_process import order_json
from prometheus_client import CollectorRegistry

from fareline_chassis.kafka.records import InRecord
from order_binder.inbound.kafka import LANES, SHARED_FROM
from order_binder.inbound.metrics import BinderMetrics

NAMES = [f"o-{index}" for index in range(SHARED_FROM)]


def strangers(names=NAMES):
    """Return a record for each order, no two of which have a person in common."""
    at = int(NOW.timestamp() * 1000)
    for offset, name in enumerate(names):
        client, driver = {"phones": [f"+7926{offset:07d}"]}, {"phones": [f"+7903{offset:07d}"]}
        value = order_json(name, 1, client=client, driver=driver)
        yield InRecord("taxi.orders.v1", 0, offset, at, b"key", value)


def consumer(ingest, dead):
    async def put_aside(records):
        dead.extend(records)

    return consumer_with(ingest, put_aside, BinderMetrics(CollectorRegistry()))


async def test_all_of_it_is_ingested_in_lanes_and_then_its_progress_is_noted():
    ingest = IngestInMemory()
    await consumer(ingest, [])(list(strangers()))
    *shared, last = ingest.batches
    assert sorted(ingest.ingested) == sorted(NAMES)
    assert (len(shared), last) == (LANES, [])
    assert [each.next_offset for each in ingest.progress] == [len(NAMES)]


async def test_a_smaller_one_stays_whole():
    ingest = IngestInMemory()
    await consumer(ingest, [])(list(strangers(NAMES[1:])))
    assert ingest.batches == [NAMES[1:]]


async def test_where_one_lane_has_to_wait_the_others_are_finished_and_nothing_is_promised():
    ingest = IngestInMemory(lambda events: OSError("away") if NAMES[0] in order_ids(events) else None)
    with pytest.raises(OSError, match="away"):
        await consumer(ingest, [])(list(strangers()))
    assert len(ingest.batches) == LANES - 1
    assert ingest.progress == []


async def test_a_guilty_record_is_found_in_its_lane():
    fault = asyncpg.UntranslatableCharacterError("no")
    ingest, dead = IngestInMemory(lambda events: fault if NAMES[7] in order_ids(events) else None), []
    await consumer(ingest, dead)(list(strangers()))
    assert sorted(ingest.ingested) == sorted(set(NAMES) - {NAMES[7]})
    assert [dict(letter.headers)["dlq-offset"] for letter in dead] == [b"7"]


def order_ids(events):
    return [event.key.order_id for event in events]
