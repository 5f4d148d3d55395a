"""A router that is started anew: with Kafka, without it, and with topics that are others by now."""

from datetime import UTC, datetime

import pytest
from aiokafka.admin import AIOKafkaAdminClient
from pbx_messages import generic_message
from router_records import bound, heartbeat, inventory, record
from router_server import NOBODY_LISTENS, RouterProcess, ask, environment, metric, reason, started, talking_to, until
from router_world import C1, C2, D1, D2, POOL, STRANGER

from fareline_chassis.health import HealthComponent
from fareline_chassis.kafka.producer import Producer
from fareline_contracts.bindings import BINDING_TYPE, binding_key
from fareline_contracts.topics import BINDINGS, NUMBERS, TENANTS
from fareline_devstack.kafka.topics import create_topics, registry_specs

COMPACTED = (BINDINGS, NUMBERS, TENANTS)


@pytest.fixture
async def producer(kafka_bootstrap, registry_topics):
    producer = Producer(kafka_bootstrap, client_id="test", topic_prefix=registry_topics)
    await producer.start(HealthComponent("producer"))
    yield producer
    await producer.stop()


@pytest.fixture
def start_router(tmp_path, kafka_bootstrap, registry_topics):
    running = []

    def start(node: str = "router-1", kafka: str = kafka_bootstrap, **more: str) -> RouterProcess:
        env = environment(tmp_path / node, kafka=kafka, prefix=registry_topics, ROUTER_NODE=node, **more)
        router = RouterProcess(tmp_path, env)
        running.append(router)
        router.wait_until_listening()
        return router

    yield start
    for router in running:
        router.stop()


async def test_without_kafka_it_goes_on_with_what_it_knew_calls_included(producer, start_router):
    await producer.send([*inventory(), bound(), *(heartbeat(partition) for partition in range(3))])
    router = start_router()
    async with talking_to(router) as http:
        await started(router, http)
        assert await reason(http, D1) == "pair"
        assert await reason(http, STRANGER) == "unknown_caller"
        for call in ("w-1", "w-2"):
            wrong = {"from": STRANGER, "call_id": call, "digits": "999999", "context": "1.0.0.unknown_caller.-"}
            assert (await ask(http, generic_message("call.digits", **wrong))).json()["reason"] == "wrong_code"
    assert router.stop() == 0

    router = start_router(kafka=NOBODY_LISTENS)
    async with talking_to(router) as http:
        await started(router, http)
        assert await reason(http, D1) == "pair"
        assert await reason(http, C1) == "pair"
        assert await metric(http, "stale") == 1
        assert await metric(http, "data_age_seconds") > 0
        wrong = {"from": STRANGER, "call_id": "w-3", "digits": "999999", "context": "1.0.0.unknown_caller.-"}
        third = (await ask(http, generic_message("call.digits", **wrong))).json()
        assert third["reason"] == "code_attempts_exceeded", "the limit counts what was typed before the restart"
        health = (await http.get("/health/startup")).json()
        assert health["components"]["replica"]["state"] in ("failed", "waiting")
    assert router.stop() == 0


async def test_killed_without_kafka_it_still_knows_what_waits_in_its_spool(producer, start_router):
    await producer.send([*inventory(), bound()])
    router = start_router()
    async with talking_to(router) as http:
        await started(router, http)
    router.stop()
    router = start_router(kafka=NOBODY_LISTENS)
    async with talking_to(router) as http:
        await started(router, http)
        for call in ("w-1", "w-2"):
            wrong = {"from": STRANGER, "call_id": call, "digits": "999999", "context": "1.0.0.unknown_caller.-"}
            assert (await ask(http, generic_message("call.digits", **wrong))).json()["reason"] == "wrong_code"
    router.kill()
    router = start_router(kafka=NOBODY_LISTENS)
    async with talking_to(router) as http:
        await started(router, http)
        wrong = {"from": STRANGER, "call_id": "w-3", "digits": "999999", "context": "1.0.0.unknown_caller.-"}
        third = (await ask(http, generic_message("call.digits", **wrong))).json()
        assert third["reason"] == "code_attempts_exceeded"


async def test_with_kafka_it_goes_on_from_its_offsets(producer, start_router):
    await producer.send([*inventory(), bound(), bound("o-2", driver=D2, client=C2)])
    router = start_router()
    async with talking_to(router) as http:
        await started(router, http)
    assert router.stop() == 0
    await producer.send(
        [record(BINDINGS, binding_key("demo", "o-2"), BINDING_TYPE, None), bound(revision=2, driver=STRANGER)]
    )

    router = start_router()
    async with talking_to(router) as http:
        await started(router, http)

        async def caught_up() -> bool:
            return await metric(http, "stale") == 0

        await until(caught_up)
        assert await reason(http, STRANGER) == "pair"
        assert await reason(http, D1) == "unknown_caller"
        assert await reason(http, D2) == "unknown_caller"
    assert "everything is loaded beside it" not in router.log.read_text()


async def test_other_topics_of_the_same_names_replace_what_it_knew(
    producer, start_router, kafka_bootstrap, registry_topics
):
    await producer.send([*inventory(), bound(), bound("o-2", driver=D2, client=C2, revision=50)])
    router = start_router()
    async with talking_to(router) as http:
        await started(router, http)
    assert router.stop() == 0
    await made_anew(kafka_bootstrap, registry_topics)
    await producer.send([*inventory(), bound("o-2", driver=STRANGER, client=C2, revision=7)])

    router = start_router()
    async with talking_to(router) as http:
        await started(router, http)

        async def replaced() -> bool:
            return await reason(http, STRANGER) == "pair"

        await until(replaced)
        assert await reason(http, D1) == "unknown_caller", "an order that the new topics do not hold"
        assert await reason(http, D2) == "unknown_caller", "an older revision of another history counts for nothing"
    assert "everything is loaded beside it" in router.log.read_text()


async def made_anew(bootstrap: str, prefix: str) -> None:
    names = {prefix + topic.name for topic in COMPACTED}
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    try:
        await admin.delete_topics(list(names))

        async def gone() -> bool:
            return not names & set(await admin.list_topics())

        await until(gone)
    finally:
        await admin.close()
    await create_topics(bootstrap, [spec for spec in registry_specs(prefix) if spec.name in names])


async def test_a_damaged_snapshot_is_passed_over(producer, start_router, tmp_path):
    await producer.send([*inventory(), bound()])
    router = start_router()
    async with talking_to(router) as http:
        await started(router, http)
    router.stop()
    path = tmp_path / "router-1" / "snapshot" / "replica"
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    router = start_router()
    async with talking_to(router) as http:
        await started(router, http)

        async def filled() -> bool:
            return await reason(http, D1) == "pair"

        await until(filled)
    assert "no snapshot to start with" in router.log.read_text()


async def test_two_routers_know_of_each_others_calls(producer, start_router):
    """A dial that comes back to the other router is unanswered, and limits hold over both."""
    await producer.send([*inventory(), bound()])
    here, there = start_router("router-1"), start_router("router-2")
    async with talking_to(here) as one, talking_to(there) as other:
        await started(here, one)
        await started(there, other)
        for call in ("w-1", "w-2"):
            wrong = {"from": STRANGER, "call_id": call, "digits": "999999", "context": "1.0.0.unknown_caller.-"}
            await ask(one, generic_message("call.digits", **wrong))

        async def heard() -> bool:
            stamp = datetime.now(UTC).timestamp()
            return await reason(other, STRANGER, POOL, f"c-{stamp}") == "code_attempts_exceeded"

        wrong = {"from": STRANGER, "call_id": "w-3", "digits": "999999", "context": "1.0.0.unknown_caller.-"}
        await ask(one, generic_message("call.digits", **wrong))
        await until(heard)
