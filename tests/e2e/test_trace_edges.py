"""One trace from the order event to the recording: each span continues the one whose record it read."""

import asyncio
from datetime import timedelta
from time import perf_counter

import pytest
from aiokafka import AIOKafkaConsumer

from fareline_contracts.accounts import load_accounts
from fareline_contracts.calls import CALL_ROUTED_TYPE
from fareline_contracts.cloudevents import readable_headers
from fareline_contracts.orders import OrderStatus
from fareline_contracts.recordings import RECORDING_STORED_TYPE
from fareline_contracts.topics import BINDINGS, CALLS, RECORDINGS
from fareline_devstack.story.audio import conversation
from fareline_devstack.story.orders import TaxiOrder
from fareline_devstack.story.people import Person
from fareline_devstack.story.ride import Ride
from fareline_devstack.story.scene import Scene
from fareline_devstack.story.theatre import open_stage

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(600)]

WITHIN_S = 90.0
DRIVER = Person("d-90", "driver of the trace", "+79036660001")
CLIENT = Person("c-90", "client of the trace", "+79266660002")


async def seen_on(system, topic, holds):
    """Return the headers of the first record of the topic for which `holds(headers, value)`, or fail in time."""
    consumer = AIOKafkaConsumer(
        system.topic_prefix + topic.name,
        bootstrap_servers=system.kafka_bootstrap,
        auto_offset_reset="earliest",
        enable_auto_commit=False,
        group_id=None,
    )
    await consumer.start()
    deadline = perf_counter() + WITHIN_S
    try:
        while perf_counter() < deadline:
            for records in (await consumer.getmany(timeout_ms=200)).values():
                for record in records:
                    headers = readable_headers(record.headers)
                    if holds(headers, record):
                        return headers
    finally:
        await consumer.stop()
    pytest.fail(f"nothing of the kind on {topic.name} within {WITHIN_S:.0f} s")


async def test_the_trace_of_an_order_event_reaches_the_recording(house, collector):
    accounts = load_accounts(house.accounts_file, demo=True)
    async with open_stage(house.system, accounts, house.zadarma) as stage:
        scene, ride = Scene("trace"), Ride(TaxiOrder("demo", "o-9001", CLIENT))
        await ride.becomes(stage, scene, OrderStatus.ACCEPTED, driver=DRIVER)
        _, trace, platform, _ = ride.last_event(scene).published.traceparent.split("-")
        call = stage.zadarma.call(DRIVER.phone, ride.number(scene))
        await ride.connects(stage, scene, call, caller=DRIVER, callee=CLIENT)
        await call.answered_by(CLIENT.phone)
        audio = await asyncio.to_thread(conversation, 1)
        house.zadarma.keep(call.pbx_call_id, "1700000000.900001", audio.data)
        await call.ended(talked=timedelta(seconds=1), recording_id="1700000000.900001")
        await call.recorded("1700000000.900001")

    def of_order(kind):
        return lambda headers, record: headers.get("ce_type") == kind and b"o-9001" in (record.value or b"")

    binding = await seen_on(house.system, BINDINGS, lambda _, record: record.key == b"demo/o-9001")
    routed = await seen_on(house.system, CALLS, of_order(CALL_ROUTED_TYPE))
    stored = await seen_on(house.system, RECORDINGS, of_order(RECORDING_STORED_TYPE))
    edges = (
        ("order.bind", "order-binder", platform, binding),
        ("call.route", "call-router", span_of(binding), routed),
        ("recording.tell", "recording-ingest", span_of(routed), stored),
    )
    for name, service, parent, carried in edges:
        span = await exported(collector, trace, name)
        assert (span.service, span.parent) == (service, parent), name
        assert carried["traceparent"] == f"00-{trace}-{span.id}-01", name


def span_of(headers):
    return headers["traceparent"].split("-")[2]


async def exported(collector, trace, name):
    """Return the only span of this name in the trace, once it has arrived."""
    deadline = perf_counter() + WITHIN_S
    while perf_counter() < deadline:
        if found := collector.of_trace(trace).get(name):
            assert len(found) == 1, found
            return found[0]
        await asyncio.sleep(0.05)
    pytest.fail(f"no span {name} within {WITHIN_S:.0f} s; of this trace: {sorted(collector.of_trace(trace))}")
