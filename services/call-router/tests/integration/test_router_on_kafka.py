"""A router as a process of its own, on a real Kafka."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta

import httpx
import pytest
from pbx_messages import generic_message
from router_server import RouterProcess, ask, environment, notify
from router_world import C1, C2, D1, D2, MAIN, POOL, STRANGER

from call_router.domain.identity import call_id_of
from fareline_chassis.health import HealthComponent
from fareline_chassis.kafka.assigned import AssignedReader
from fareline_chassis.kafka.producer import Producer
from fareline_chassis.kafka.records import InRecord, OutRecord
from fareline_contracts import bindings as contract
from fareline_contracts.bindings import (
    BINDING_TYPE,
    HEARTBEAT_TYPE,
    BindingRecord,
    Heartbeat,
    binding_key,
    heartbeat_key,
)
from fareline_contracts.calls import CallRouted
from fareline_contracts.cloudevents import EventHead, to_headers
from fareline_contracts.numbers import NUMBER_TYPE, NumberRecord, NumberRole
from fareline_contracts.tenants import TENANT_TYPE, TenantRecord
from fareline_contracts.topics import BINDINGS, CALLS, NUMBERS, TENANTS

TRACE = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"


def record(topic, key: bytes, kind: str, value: bytes | None, partition: int | None = None) -> OutRecord:
    head = EventHead("id", "/test", kind, datetime.now(UTC), key.decode(), TRACE)
    return OutRecord(topic.name, key, value, to_headers(head), partition)


def bound(order_id="o-1", *, driver=D1, client=C1, revision=1, number=POOL) -> OutRecord:
    now = datetime.now(UTC)
    window = contract.Direction(opens_at=now - timedelta(hours=1), closes_at=now + timedelta(hours=1))
    value = BindingRecord(
        tenant="demo",
        order_id=order_id,
        revision=revision,
        order_version=revision,
        state="active",
        order_status="accepted",
        status_changed_at=now,
        number=number,
        parties={"driver": {"phones": (driver,), "code": "482913"}, "client": {"phones": (client,), "code": "118204"}},
        directions={"driver_to_client": window, "client_to_driver": window},
        call_policy={"caller_id": number, "record": True},
        caused_at=now,
        updated_at=now,
    )
    return record(BINDINGS, binding_key("demo", order_id), BINDING_TYPE, value.to_json())


def heartbeat(partition: int, age: timedelta = timedelta(0)) -> OutRecord:
    now = datetime.now(UTC)
    value = Heartbeat(partition=partition, as_of=now, input_as_of=now - age, epoch=1)
    return record(BINDINGS, heartbeat_key(partition), HEARTBEAT_TYPE, value.to_json(), partition)


def inventory() -> list[OutRecord]:
    numbers = [(MAIN, NumberRole.MAIN), (POOL, NumberRole.POOL)]
    return [
        record(TENANTS, b"demo", TENANT_TYPE, TenantRecord(tenant="demo", revision=1, region="RU").to_json()),
        *(
            record(
                NUMBERS,
                e164.encode(),
                NUMBER_TYPE,
                NumberRecord(e164=e164, tenant="demo", revision=1, role=role).to_json(),
            )
            for e164, role in numbers
        ),
    ]


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


async def until(condition: Callable[[], Awaitable[object]], within_s: float = 30) -> object:
    """Ask again and again until the answer is truthy, and return it."""
    async with asyncio.timeout(within_s):
        while not (found := await condition()):
            await asyncio.sleep(0.05)
        return found


async def metric(http: httpx.AsyncClient, name: str) -> float:
    lines = (await http.get("/metrics")).text.splitlines()
    return next(float(line.rsplit(" ", 1)[1]) for line in lines if line.startswith(f"fareline_router_{name} "))


async def started(router: RouterProcess, http: httpx.AsyncClient) -> None:
    async def up() -> bool:
        return (await http.get("/health/startup")).status_code == 200

    await until(up)


async def call_events(bootstrap: str, prefix: str, count: int) -> list[InRecord]:
    """Return the first call events in Kafka, at least `count`."""
    reader = AssignedReader(bootstrap, [CALLS.name], client_id="test", topic_prefix=prefix)
    await reader.start(HealthComponent("reader"))
    found: list[InRecord] = []
    try:
        async with asyncio.timeout(30):
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


async def reason(http: httpx.AsyncClient, caller: str, number: str = POOL, call: str = "") -> str:
    body = generic_message(
        "call.started", **{"from": caller, "to": number, "call_id": call or f"c-{datetime.now(UTC).timestamp()}"}
    )
    response = await ask(http, body)
    assert response.status_code == 200, response.text
    return response.json()["reason"]


async def test_replica_is_filled_and_follows(producer, start_router):
    await producer.send([*inventory(), bound(), bound(revision=3, driver=D2), bound(revision=2)])
    router = start_router()
    async with httpx.AsyncClient(base_url=router.url, trust_env=False) as http:
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
    async with httpx.AsyncClient(base_url=router.url, trust_env=False) as http:
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
    async with httpx.AsyncClient(base_url=router.url, trust_env=False) as http:
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
    async with httpx.AsyncClient(base_url=victim.url, trust_env=False) as http:
        for number in range(20):
            await reason(http, STRANGER, call=f"c-{number}")
    victim.kill()
    router = start_router()
    async with httpx.AsyncClient(base_url=router.url, trust_env=False) as http:
        await started(router, http)
        events = await call_events(kafka_bootstrap, registry_topics, 20)
    calls = [CallRouted.model_validate_json(found.value).pbx_call_id for found in events]
    assert sorted(calls) == sorted(f"c-{number}" for number in range(20))


async def test_stops_in_order_with_everything_sent(producer, start_router, kafka_bootstrap, registry_topics):
    await producer.send([*inventory(), bound()])
    router = start_router()
    async with httpx.AsyncClient(base_url=router.url, trust_env=False) as http:
        await started(router, http)
        await reason(http, D1, call="c-1")
    assert router.stop() == 0
    assert len(await call_events(kafka_bootstrap, registry_topics, 1)) == 1
