"""One trace from the order event to the recording: the id that the platform sent is on every record that came of it."""

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

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(300)]

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


async def test_the_trace_of_an_order_event_reaches_the_recording(house):
    accounts = load_accounts(house.accounts_file, demo=True)
    async with open_stage(house.system, accounts, house.zadarma) as stage:
        scene, ride = Scene("trace"), Ride(TaxiOrder("demo", "o-9001", CLIENT))
        await ride.becomes(stage, scene, OrderStatus.ACCEPTED, driver=DRIVER)
        trace_id = ride.last_event(scene).published.traceparent.split("-")[1]
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
    for what, headers in (("binding", binding), ("call.routed", routed), ("recording.stored", stored)):
        assert headers.get("traceparent", "").split("-")[1:2] == [trace_id], what
