"""Whatever stands in the order topic: it is put aside whole, leaves nothing behind, and its neighbours are bound."""

import asyncio
import json
import os
import subprocess
import sys
import time
from collections import Counter
from dataclasses import replace

import pytest
from aiokafka import AIOKafkaProducer
from bad_snapshots import NUL, bad_snapshots, snapshot
from binder_events import furnish
from binder_process import AUTH, everything, until
from httpx import AsyncClient

from fareline_contracts.bindings import BindingRecord
from fareline_contracts.cloudevents import readable_headers
from fareline_devstack.kafka.topics import create_topics, registry_specs
from order_binder.domain.orders import OrderKey, Unroutable

BIG = 10 * 1024 * 1024
HALF_AN_HOUR_MS = 1_800_000  # further ahead Kafka itself takes nothing
HEADERS = [("x", b"\xff\xfe"), ("nothing", None), ("traceparent", b"00-" + b"\x00" * 52)]


@pytest.fixture
async def big_topics(kafka_bootstrap, topic_prefix):
    """Create the topics of the contracts; a platform's own may take records far larger than ours do."""
    specs = [
        replace(spec, config={**spec.config, "max.message.bytes": str(2 * BIG)})
        if spec.name.endswith("taxi.orders.v1")
        else spec
        for spec in registry_specs(f"{topic_prefix}big-")
    ]
    await create_topics(kafka_bootstrap, specs)
    return f"{topic_prefix}big-"


def raw_records():
    """Return (name, key, value, reason) of records that are no snapshots at all."""
    huge = json.dumps(snapshot("huge", city="x" * BIG)).encode()
    return [
        ("nothing at all", None, None, "empty"),
        ("no value", b"k-none", None, "empty"),
        ("empty", b"k-empty", b"", "undecodable"),
        ("no text", b"k-bytes", b"\xff\xfe\x00", "undecodable"),
        ("cut off", b"k-cut", b'{"tenant": "demo", "client": {"phones": ["+79261234567"]', "undecodable"),
        ("nested", b"k-nested", b"[" * 50_000, "undecodable"),
        (
            "a surrogate",
            b"k-half",
            json.dumps(snapshot("o", city="@")).encode().replace(b"@", b"\\ud800"),
            "undecodable",
        ),
        ("a list", b"k-list", b"[]", "invalid"),
        ("structured without data", b"k-structured", b'{"specversion": "1.0", "type": "x"}', "undecodable"),
        ("70 kB", b"k-70", json.dumps(snapshot("o", city="x" * 70_000)).encode(), "too_large"),
        ("10 MB", b"k-huge", huge, "too_large"),
        ("a tenant nobody knows", b"k-tenant", json.dumps(snapshot("o", tenant="nobody")).encode(), "unknown_tenant"),
    ]


def odd_but_good():
    """Return {order id: (document, headers, Kafka's time)} of snapshots that look strange and have to work."""
    return {
        "odd-headers": (snapshot("odd-headers"), HEADERS, None),
        "odd-control": (
            snapshot("odd-control", city="\u0001\u001f\u007f", driver={"phones": ["8 903 111 22 33"]}),
            [],
            None,
        ),
        "odd-far": (snapshot("odd-far", scheduled_for="2099-12-31T23:59:59Z"), [], None),
        "odd-clock": (snapshot("odd-clock"), [], int(time.time() * 1000) + HALF_AN_HOUR_MS),
        "odd-version": (snapshot("odd-version", version=2**53 - 1), [], None),
        "odd-fields": (snapshot("odd-fields", surprise={"deep": [1, NUL]}), [], None),
    }


async def produce(bootstrap, topic, records):
    producer = AIOKafkaProducer(bootstrap_servers=bootstrap, max_request_size=2 * BIG)
    await producer.start()
    try:
        for key, value, headers, at in records:
            if key is None and value is None:
                await send_nothing(producer, topic)
            else:
                await producer.send_and_wait(topic, value, key=key, headers=headers, timestamp_ms=at, partition=0)
    finally:
        await producer.stop()


async def send_nothing(producer, topic):
    """Append a record with neither key nor value, which aiokafka's own `send` refuses but other clients send."""
    batch = producer.create_batch()
    batch.append(key=None, value=None, timestamp=None)
    batch.close()
    await (await producer.send_batch(batch, topic, partition=0))


def interleaved(records):
    """Put a good neighbour behind each record; returns all records, and the neighbours' order ids."""
    found, names = [], []
    for place, record in enumerate(records):
        name = f"good-{place}"
        names.append(name)
        found += [record, (name.encode(), json.dumps(snapshot(name)).encode(), [], None)]
    return found, names


def run_dlq(env, *arguments):
    """Run the command line and return what it says."""
    command = [sys.executable, "-m", "order_binder", "dlq", *arguments]
    done = subprocess.run(command, env={**os.environ, **env}, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


class Flood:
    """Every bad record, whatever merely looks strange, and a good neighbour behind each."""

    def __init__(self):
        self.bad = {f"bad-{n}".encode(): bad for n, bad in enumerate(bad_snapshots())}
        self.raw, self.odd = raw_records(), odd_but_good()
        wordy = snapshot("wordy", client={"phones": ["taxi", "anonymous", "+266696687", "0"]})
        records = [(key, bad.json, HEADERS, None) for key, bad in self.bad.items()]
        records += [(key, value, [], None) for _, key, value, _ in self.raw]
        records += [(key.encode(), json.dumps(doc).encode(), *rest) for key, (doc, *rest) in self.odd.items()]
        records.append((b"wordy", json.dumps(wordy).encode(), [], None))
        self.records, self.neighbours = interleaved(records)
        self.good = {*self.neighbours, *self.odd}
        self.refused = len(self.bad) + len(self.raw)


@pytest.mark.timeout(600)
async def test_each_bad_record_alone_is_put_aside_and_can_be_replayed(
    binder_env, start_binder, big_topics, registry, reader, *, database
):
    binder_env["KAFKA_TOPIC_PREFIX"] = big_topics
    await furnish(registry)
    flood, binder = Flood(), start_binder(binder_env)
    await binder.ready()
    await produce(binder_env["KAFKA_BOOTSTRAP"], big_topics + "taxi.orders.v1", flood.records)

    async def last():
        return (await reader.order(OrderKey("demo", flood.neighbours[-1])))[0]

    await until(last, say=lambda: binder.log.read_text()[-4000:])
    await nothing_bad_is_left_behind(flood, database, reader)
    await what_is_strange_can_be_published_too(flood, binder_env)
    await each_letter_is_there_once_and_whole(flood, binder_env)
    async with AsyncClient(base_url=binder.base_url, headers=AUTH) as http:
        metrics = (await http.get("/metrics")).text
    assert 'order_events_refused_total{reason="invalid",tenant="demo"}' in metrics
    assert 'order_events_refused_total{reason="unknown_tenant",tenant="unknown"} 1.0' in metrics
    await letters_are_worked_off(flood, binder_env, registry, reader)
    assert binder.terminate() == 0
    assert "9031112233" not in binder.log.read_text()
    assert "9261234567" not in binder.log.read_text()


async def nothing_bad_is_left_behind(flood, database, reader):
    async with database.acquire() as connection:
        rows = await connection.fetch("SELECT order_id, number FROM order_binder.orders")
        holders = await connection.fetch("SELECT DISTINCT jsonb_object_keys(holds) AS holder FROM order_binder.slots")
        coded = await connection.fetch("SELECT DISTINCT order_id FROM order_binder.codes")
    assert {row["order_id"] for row in rows if row["number"]} == flood.good
    assert {row["order_id"] for row in rows} == {*flood.good, "wordy"}
    assert {row["holder"] for row in holders} <= {f"demo/{name}" for name in flood.good}
    assert {row["order_id"] for row in coded} == flood.good
    assert (await reader.order(OrderKey("demo", "wordy")))[0].unroutable is Unroutable.CLIENT_WITHOUT_PHONE


async def what_is_strange_can_be_published_too(flood, env):
    wanted = {f"demo/{name}".encode() for name in flood.good}

    async def published():
        records = await everything(env["KAFKA_BOOTSTRAP"], env["KAFKA_TOPIC_PREFIX"] + "fareline.bindings.v1")
        found = {record.key: record.value for record in records}
        return found if wanted <= set(found) else None

    bindings = await until(published)
    for name in flood.odd:
        BindingRecord.model_validate_json(bindings[f"demo/{name}".encode()])


async def each_letter_is_there_once_and_whole(flood, env):
    async def all_letters():
        found = await everything(env["KAFKA_BOOTSTRAP"], env["KAFKA_TOPIC_PREFIX"] + "taxi.orders.v1.dlq")
        return found if len(found) >= flood.refused else None

    letters = await until(all_letters)
    dead = {record.key: record for record in letters}
    assert len(letters) == flood.refused
    for key, bad in flood.bad.items():
        about = readable_headers(dead[key].headers)
        assert dead[key].value == bad.json
        assert (about["dlq-reason"], about["dlq-topic"]) == ("invalid", "taxi.orders.v1"), bad.what
        assert about["dlq-detail"].startswith(bad.path), bad.what
        assert tuple(dead[key].headers)[:3] == tuple(HEADERS)
    for name, key, value, reason in flood.raw:
        about = readable_headers(dead[key].headers)
        assert about["dlq-reason"] == reason, name
        if "dlq-truncated" not in about:
            assert dead[key].value == (b"" if key is None else value), name
    assert int(readable_headers(dead[b"k-huge"].headers)["dlq-truncated"]) > BIG


async def letters_are_worked_off(flood, env, registry, reader):
    """Replay what was refused for a cause that is gone, drop what never will be of use."""

    async def dlq(*arguments):
        return await asyncio.to_thread(run_dlq, env, *arguments)

    async def reasons():
        lines = (await dlq("list", "--json", "--limit", "1000")).splitlines()
        return Counter(json.loads(line)["reason"] for line in lines)

    before = await reasons()
    assert before.total() == flood.refused
    await furnish(registry, tenant="nobody", pool=0, main="+74950000301")
    assert await dlq("replay", "--reason", "unknown_tenant", "--yes") == "replay: 1 settled\n"

    async def bound():
        return (await reader.order(OrderKey("nobody", "o")))[0]

    assert (await until(bound)).allocation.number == "+74950000301"
    assert await dlq("drop", "--reason", "undecodable", "--yes") == f"drop: {before['undecodable']} settled\n"
    del before["unknown_tenant"], before["undecodable"]
    assert await reasons() == before
