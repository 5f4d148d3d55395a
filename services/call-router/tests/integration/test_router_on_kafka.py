"""A router as a process of its own, on a real Kafka."""

import asyncio
from datetime import timedelta

import pytest
from router_records import TRACE, bound, heartbeat, inventory, record
from router_server import RouterProcess, environment, metric, notify, reason, started, talking_to, until
from router_world import C1, C2, D1, D2, STRANGER

from call_router.domain.identity import call_id_of
from fareline_chassis.health import HealthComponent
from fareline_chassis.kafka.assigned import AssignedReader
from fareline_chassis.kafka.producer import Producer
from fareline_chassis.kafka.records import InRecord
from fareline_contracts.bindings import (
    BINDING_TYPE,
    binding_key,
)
from fareline_contracts.calls import CallRouted
from fareline_contracts.topics import BINDINGS, CALLS


@pytest.fixture
async def producer(kafka_bootstrap, registry_topics):
    producer = Producer(kafka_bootstrap, client_id="test", topic_prefix=registry_topics)
    await producer.start(HealthComponent("producer"))
    yield producer
    await producer.stop()


@pytest.fixture
def start_router(tmp_path, kafka_bootstrap, registry_topics):
    started = []

    def start(kafka: str = kafka_bootstrap, **more: str) -> RouterProcess:
        router = RouterProcess(tmp_path, environment(tmp_path / "data", kafka=kafka, prefix=registry_topics, **more))
        started.append(router)
        router.wait_until_listening()
        return router

    yield start
    for router in started:
        router.stop()


async def call_events(bootstrap: str, prefix: str, count: int) -> list[InRecord]:
    """Return the first call events in Kafka, at least `count`."""
    reader = AssignedReader(bootstrap, [CALLS.name], client_id="test", topic_prefix=prefix)
    await reader.start(HealthComponent("reader"))
    found: list[InRecord] = []
    try:
        async with asyncio.timeout(60):
            async for batch in reader.load():
                found += batch
            async for batch in reader.tail() if len(found) < count else _nothing():
                found += batch
                if len(found) >= count:
                    break
    finally:
        await reader.stop()
    return found


async def _nothing():
    return
    yield


async def test_replica_is_filled_and_follows(producer, start_router):
    await producer.send([*inventory(), bound(), bound(revision=3, driver=D2), bound(revision=2)])
    router = start_router()
    async with talking_to(router) as http:
        await started(router, http)
        assert await reason(http, D2) == "pair"
        assert await reason(http, D1) == "unknown_caller"

        await producer.send([bound("o-2", driver=STRANGER, client=C2)])

        async def routable() -> bool:
            return await reason(http, STRANGER) == "pair"

        await until(routable)
        await producer.send([record(BINDINGS, binding_key("demo", "o-2"), BINDING_TYPE, None)])

        async def gone() -> bool:
            return await reason(http, STRANGER) == "unknown_caller"

        await until(gone)


async def test_heartbeats_tell_the_age_of_the_data_and_their_absence_that_it_is_cut_off(producer, start_router):
    await producer.send(inventory())
    router = start_router()
    async with talking_to(router) as http:
        await started(router, http)
        assert await metric(http, "cut_off") == 1

        async def connected() -> bool:
            await producer.send([heartbeat(partition, timedelta(seconds=100)) for partition in range(3)])
            return await metric(http, "cut_off") == 0

        await until(connected)
        assert 100 <= await metric(http, "data_age_seconds") < 160

        async def cut_off() -> bool:
            return await metric(http, "cut_off") == 1

        await until(cut_off)


async def test_call_events_reach_kafka_with_the_trace_of_the_order(
    producer, start_router, kafka_bootstrap, registry_topics
):
    await producer.send([*inventory(), bound()])
    router = start_router()
    async with talking_to(router) as http:
        await started(router, http)
        assert (await notify(http, "NOTIFY_START", pbx_call_id="in_1")).json()["redirect"] == "202"
        for event, more in [
            ("NOTIFY_INTERNAL", {"internal": "202"}),
            ("NOTIFY_ANSWER", {"internal": "202", "destination": C1}),
            ("NOTIFY_END", {"internal": "202", "duration": "51", "disposition": "answered", "is_recorded": "1"}),
            ("NOTIFY_RECORD", {"call_id_with_rec": "145.3"}),
        ]:
            assert (await notify(http, event, pbx_call_id="in_1", **more)).status_code == 200
        events = await call_events(kafka_bootstrap, registry_topics, 5)
    names = [found.header("ce_type").decode().split(".", 1)[1] for found in events]
    assert names == ["call.routed.v1", "call.progress.v1", "call.progress.v1", "call.ended.v1", "recording.ready.v1"]
    assert {found.key.decode() for found in events} == {call_id_of("demo-zadarma", "in_1")}
    assert {found.header("traceparent") for found in events} == {TRACE.encode()}
    assert len({found.header("ce_id") for found in events}) == 5
    routed = CallRouted.model_validate_json(events[0].value)
    assert (routed.decision.order_id, routed.decision.reason, routed.decision.direction) == (
        "o-1",
        "pair",
        "driver_to_client",
    )
    models = [CALLS.records[found.header("ce_type").decode()] for found in events]
    assert all(
        model.model_validate_json(found.value).tenant == "demo" for model, found in zip(models, events, strict=True)
    )


async def test_killed_router_loses_no_event(producer, start_router, kafka_bootstrap, registry_topics):
    await producer.send([*inventory(), bound()])
    victim = start_router(kafka="127.0.0.1:1")
    async with talking_to(victim) as http:
        for number in range(20):
            await reason(http, STRANGER, call=f"c-{number}")
    victim.kill()
    router = start_router()
    async with talking_to(router) as http:
        await started(router, http)
        events = await call_events(kafka_bootstrap, registry_topics, 20)
    calls = [CallRouted.model_validate_json(found.value).pbx_call_id for found in events]
    assert sorted(calls) == sorted(f"c-{number}" for number in range(20))


async def test_stops_in_order_with_everything_sent(producer, start_router, kafka_bootstrap, registry_topics):
    await producer.send([*inventory(), bound()])
    router = start_router()
    async with talking_to(router) as http:
        await started(router, http)
        await reason(http, D1, call="c-1")
    assert router.stop() == 0
    assert len(await call_events(kafka_bootstrap, registry_topics, 1)) == 1
