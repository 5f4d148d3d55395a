"""Whole processes of order-binder on a real Kafka and a real PostgreSQL, driven from outside."""

import json
from pathlib import Path

import held_binder
import httpx
import pytest
from binder_events import furnish
from binder_process import AUTH, everything, order_json, produce, until

from fareline_contracts.bindings import BindingRecord, Heartbeat
from fareline_contracts.cloudevents import readable_headers
from fareline_devstack.kafka.topics import create_topics, registry_specs
from order_binder.domain.orders import OrderKey
from order_binder.outbound.schema import Schema

TRACE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
BINDING = "/v1/tenants/demo/orders/o-1/binding"


@pytest.fixture
async def http(binder_env):
    base_url = f"http://127.0.0.1:{binder_env['HTTP_PORT']}"
    async with httpx.AsyncClient(base_url=base_url, headers=AUTH, timeout=20) as client:
        yield client


def topics(env, name):
    return env["KAFKA_BOOTSTRAP"], env["KAFKA_TOPIC_PREFIX"] + name


async def published(env, key: bytes) -> list:
    """Return the records of one key in the bindings topic."""
    return [record for record in await everything(*topics(env, "fareline.bindings.v1")) if record.key == key]


async def test_from_an_order_event_to_a_published_binding(binder_env, start_binder, http):
    binder = start_binder(binder_env)
    await binder.ready()
    assert (await http.put("/v1/tenants/demo", json={"region": "RU"})).status_code == 200
    number = await http.put("/v1/tenants/demo/numbers/+74950000101", json={"role": "pool", "revision": 1})
    assert number.json()["revision"] > 1
    headers = [("traceparent", TRACE.encode()), ("foreign", b"\xff\xfe")]
    await produce(*topics(binder_env, "taxi.orders.v1"), [(b"o-1", order_json("o-1", 1), headers)])

    answer = await http.get(BINDING, params={"min_version": 1, "wait": "20s"})
    shown = answer.json()
    assert (shown["state"], shown["number"], shown["reached"]) == ("active", "+74950000101", True)
    assert shown["dial"]["driver"] == "tel:+74950000101"
    assert (await http.get(BINDING, headers={"If-None-Match": answer.headers["etag"]})).status_code == 304

    records = await until(lambda: published(binder_env, b"demo/o-1"))
    record = BindingRecord.model_validate_json(records[0].value)
    assert record.parties.driver.phones == ("+79031112233",)
    assert record.parties.driver.code == shown["codes"]["driver"]
    assert readable_headers(records[0].headers)["traceparent"] == TRACE
    looked_up = await http.post("/v1/tenants/demo/bindings/lookup", json={"phone": "+79031112233"})
    assert BindingRecord.model_validate(looked_up.json()["bindings"][0]) == record

    async def beats():
        found = [
            Heartbeat.model_validate_json(r.value) for n in range(3) for r in await published(binder_env, b"_hb/%d" % n)
        ]
        fresh = {beat.partition for beat in found if beat.input_as_of >= record.caused_at}
        return fresh == {0, 1, 2}

    await until(beats)
    put = await http.put(
        "/v1/tenants/demo/orders/o-1", content=order_json("o-1", 2, "cancelled"), headers={"traceparent": TRACE}
    )
    assert (put.status_code, put.json()) == (202, {"accepted": 1})
    over = (await http.get(BINDING, params={"min_version": 2, "wait": "20s"})).json()
    assert (over["state"], over["number"]) == ("ended", None)

    async def ended():
        return BindingRecord.model_validate_json((await published(binder_env, b"demo/o-1"))[-1].value).state == "ended"

    await until(ended)
    assert "binder_publication_delay_seconds_bucket" in (await http.get("/metrics")).text
    assert binder.terminate() == 0
    for secret in ("9031112233", "9261234567"):
        assert secret not in binder.log.read_text()


async def test_killed_between_the_two_commits_an_event_counts_once(
    binder_env, start_binder, *, registry, reader, database, tmp_path
):
    await furnish(registry)
    marker = tmp_path / "committed"
    held = start_binder({**binder_env, "HELD_MARKER": str(marker)}, driver=Path(held_binder.__file__))
    await held.ready()
    await produce(*topics(binder_env, "taxi.orders.v1"), [(b"o-1", order_json("o-1", 1), [])])

    async def committed():
        return marker.exists()

    await until(committed, say=held.log.read_text)
    before, _ = await reader.order(OrderKey("demo", "o-1"))
    held.kill()

    binder = start_binder(binder_env)
    await binder.ready()
    await produce(*topics(binder_env, "taxi.orders.v1"), [(b"o-2", order_json("o-2", 1), [])])

    async def second():
        return (await reader.order(OrderKey("demo", "o-2")))[0]

    await until(second, say=binder.log.read_text)
    after, _ = await reader.order(OrderKey("demo", "o-1"))
    assert before.bound
    assert after == before
    async with database.acquire() as connection:
        holders = await connection.fetch(
            "SELECT holds FROM order_binder.slots WHERE number = $1", before.allocation.number
        )
        codes = await connection.fetchval("SELECT count(*) FROM order_binder.codes WHERE order_id = 'o-1'")
    assert all(list(row["holds"]).count("demo/o-1") == 1 for row in holders)
    assert codes == 2

    async def both():
        keys = [record.key for record in await everything(*topics(binder_env, "fareline.bindings.v1"))]
        return b"demo/o-1" in keys and b"demo/o-2" in keys

    await until(both)
    revisions = {
        BindingRecord.model_validate_json(record.value).revision for record in await published(binder_env, b"demo/o-1")
    }
    assert revisions == {before.revision}
    async with httpx.AsyncClient(base_url=binder.base_url) as http:
        metrics = (await http.get("/metrics")).text
    assert 'fareline_binder_order_events_total{outcome="stale"} 1.0' in metrics


async def test_what_cannot_be_used_is_put_aside_and_its_neighbours_are_not_harmed(
    binder_env, start_binder, registry, reader
):
    await furnish(registry)
    binder = start_binder(binder_env)
    await binder.ready()
    broken = b'{"tenant": "demo", "client": {"phones": ["+79261234567"]'
    stranger = order_json("o-7", 1, tenant="nobody")
    records = [
        (b"o-1", order_json("o-1", 1), []),
        (b"bad-1", broken, [("foreign", b"\xff")]),
        (b"o-2", order_json("o-2", 1), [("foreign", b"\xff"), ("null", None)]),
        (None, b"\x00\xff\x00", []),
        (b"bad-2", order_json("o-3", -1), []),
        (b"o-7", stranger, []),
        (b"big", order_json("o-8", 1, city="x" * 70_000), []),
        (b"o-4", None, []),
        (b"future", b"{}", [("ce_type", b"taxi.other.v9"), ("ce_specversion", b"1.0")]),
        (b"o-5", order_json("o-5", 1), []),
    ]
    await produce(*topics(binder_env, "taxi.orders.v1"), records)

    async def last():
        return (await reader.order(OrderKey("demo", "o-5")))[0]

    await until(last, say=binder.log.read_text)
    for name in ("o-1", "o-2", "o-5"):
        assert (await reader.order(OrderKey("demo", name)))[0].bound

    async def put_aside():
        found = await everything(*topics(binder_env, "taxi.orders.v1.dlq"))
        return found if len(found) >= 6 else None

    dead = {record.key: record for record in await until(put_aside)}
    assert dead[b"bad-1"].value == broken
    reasons = {key: readable_headers(record.headers)["dlq-reason"] for key, record in dead.items()}
    assert reasons == {
        b"bad-1": "undecodable",
        None: "undecodable",
        b"bad-2": "invalid",
        b"o-7": "unknown_tenant",
        b"big": "too_large",
        b"o-4": "empty",
    }
    about = readable_headers(dead[b"bad-2"].headers)
    assert (about["dlq-offset"], about["dlq-group"]) == ("4", "order-binder")
    assert about["dlq-detail"].startswith("version")
    assert binder.terminate() == 0


async def test_it_waits_for_kafka_and_postgres_and_comes_up_when_they_do(
    binder_env, start_binder, own_kafka, own_postgres, http
):
    own_kafka.start()
    await create_topics(own_kafka.address, registry_specs())
    own_kafka.stop()
    await Schema(own_postgres.start()).migrate("all")
    own_postgres.stop()
    binder_env.update(KAFKA_BOOTSTRAP=own_kafka.address, KAFKA_TOPIC_PREFIX="", DATABASE_URL=own_postgres.address)
    binder = start_binder(binder_env)

    async def waiting_for_postgres():
        return "waiting for PostgreSQL" in json.dumps(await binder.health())

    await until(waiting_for_postgres)
    assert (await http.get("/health/live")).status_code == 200
    assert (await http.get(BINDING)).status_code == 503
    own_postgres.start()

    async def waiting_for_kafka():
        return "waiting for kafka" in json.dumps(await binder.health())

    await until(waiting_for_kafka)
    assert (await http.get(BINDING)).json()["state"] == "none"
    own_kafka.start()
    await binder.ready()
    assert binder.terminate() == 0
