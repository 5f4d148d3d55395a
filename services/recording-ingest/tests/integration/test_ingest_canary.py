"""One striking phone goes through the service by every way in; afterwards seven of its digits stand nowhere outside."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from aiokafka import AIOKafkaConsumer
from aiokafka.structs import TopicPartition
from ingest_api import project
from ingest_keys import vault
from ingest_source import audio, file_source
from ingest_stack import SCHEMA, Running, ServiceBox, connected, eventually, migrated, out_record, send
from ingest_story import Told, answered_call, dial, routed

from fareline_chassis.kafka.records import OutRecord
from fareline_contracts.topics import CALLS

CANARY = "+79031357924"
SEVENS = [CANARY[start : start + 7].encode() for start in range(1, len(CANARY) - 6)]
PERIOD = "since=2026-11-24T00:00:00Z&until=2026-11-25T00:00:00Z"
# Times of writing, ciphertexts, and what downloads made of it: the ledger is no fold of the topic.
UNSTABLE = {"updated_at", "kept_at", "caller_sealed", "target_sealed", "sealed", "recording"}


@pytest.fixture
async def box(database_url: str, kafka_bootstrap: str, registry_topics: str, tmp_path: Path) -> ServiceBox:
    await migrated(database_url)
    return ServiceBox(database_url, kafka_bootstrap, registry_topics, tmp_path)


@pytest.fixture
async def service(box: ServiceBox) -> AsyncIterator[Running]:
    async with box.running() as running:
        yield running


def shown(text: bytes) -> list[bytes]:
    return [seven for seven in SEVENS if seven in text]


async def dump(dsn: str) -> bytes:
    connection = await asyncpg.connect(dsn, server_settings={"search_path": SCHEMA, "bytea_output": "escape"})
    try:
        tables = await connection.fetch(
            "SELECT oid::regclass::text AS name FROM pg_class"
            " WHERE relnamespace IN ('recording_ingest'::regnamespace, 'analytics'::regnamespace) AND relkind IN ('r', 'v')"
        )
        lines = []
        for table in tables:
            lines += [row["line"] for row in await connection.fetch(f"SELECT t::text AS line FROM {table['name']} t")]
        return "\n".join(lines).encode()
    finally:
        await connection.close()


async def topic(box: ServiceBox, name: str) -> list[Any]:
    """Return every record of a topic, from the beginning."""
    consumer = AIOKafkaConsumer(bootstrap_servers=box.bootstrap, enable_auto_commit=False)
    await consumer.start()
    try:
        places = [TopicPartition(box.prefix + name, n) for n in consumer.partitions_for_topic(box.prefix + name) or ()]
        if not places:
            places = [TopicPartition(box.prefix + name, n) for n in (await _partitions(consumer, box.prefix + name))]
        consumer.assign(places)
        await consumer.seek_to_beginning()
        ends, found = await consumer.end_offsets(places), []
        async with asyncio.timeout(30):
            while any([await consumer.position(place) < end for place, end in ends.items()]):
                batches = await consumer.getmany(timeout_ms=200)
                found += [record for records in batches.values() for record in records]
        return found
    finally:
        await consumer.stop()


async def _partitions(consumer: AIOKafkaConsumer, name: str) -> set[int]:
    await consumer._client.force_metadata_update()
    consumer._client.add_topic(name)
    await consumer._client.force_metadata_update()
    return consumer.partitions_for_topic(name) or set()


def story(url: str) -> list[Told]:
    told = answered_call("c-1", url=url)
    first = routed(call_id="c-1", caller=CANARY, actions=[{**dial(CANARY), "context": CANARY}])
    shown_to_operator = {"do": "fallback", "target": "operator", "display": f"client {CANARY}"}
    return [first, *told[1:], routed(3, call_id="c-2", caller=CANARY, actions=[shown_to_operator])]


async def test_a_canary_is_seen_by_nobody_who_may_not(box: ServiceBox, service: Running) -> None:
    async with file_source() as source:
        url = source.file(f"/{CANARY[1:]}.wav", audio(51.0))
        unusable = out_record(routed(call_id="c-3", caller=CANARY))
        broken = OutRecord(unusable.topic, unusable.key, (unusable.value or b"")[:-5], unusable.headers)
        await send(box.bootstrap, box.prefix, [*(out_record(told) for told in story(url)), broken])

        async def stored() -> bool:
            found = (await service.get("/v1/calls/c-1")).json().get("recordings") or [{}]
            return bool(found[0].get("state") == "stored")

        await eventually(stored)
    headers = {"Authorization": "Bearer analyst"}
    body = {"since": "2026-11-24T00:00:00Z", "until": "2026-11-25T00:00:00Z", "caller": CANARY}
    found = await service.client.post("/v1/calls/search", json=body, headers=headers)
    assert {call["call_id"] for call in found.json()["calls"]} == {"c-1", "c-2"}
    masked = [found.content]
    masked += [
        (await service.get(path)).content
        for path in (
            f"/v1/calls?{PERIOD}",
            f"/v1/calls.csv?{PERIOD}",
            "/v1/calls/c-1",
            f"/v1/calls?number={CANARY}",
            f"/v1/calls?party=%2B{CANARY[1:]}",
            "/metrics",
        )
    ]
    assert [shown(text) for text in masked] == [[]] * len(masked)
    dead = await topic(box, f"{CALLS.name}.dlq")
    assert len(dead) == 1
    assert shown(json.dumps([(name, value.decode()) for name, value in dead[0].headers]).encode()) == []
    assert CANARY[1:].encode() in (await service.get("/v1/calls/c-1", token="chief")).content
    await service.stop()
    assert shown(await dump(box.dsn)) == []
    assert shown(b"".join(log.read_bytes() for log in box.folder.glob("*.log"))) == []


async def rows(dsn: str) -> list[list[tuple[str, Any]]]:
    connection = await asyncpg.connect(dsn, server_settings={"search_path": SCHEMA})
    try:
        found = []
        for table, order in (("calls", "call_id"), ("call_heads", "call_id"), ("call_events", "account, ce_id")):
            records = await connection.fetch(f"SELECT * FROM {table} ORDER BY {order}")
            found += [[(name, value) for name, value in row.items() if name not in UNSTABLE] for row in records]
        return found
    finally:
        await connection.close()


async def test_the_topic_gives_the_same_table_again(box: ServiceBox, service: Running) -> None:
    told = [one for n in range(9) for one in answered_call(f"c-{n}")[:-1]]
    await send(box.bootstrap, box.prefix, [out_record(one) for one in told[::-1] + told])

    async def complete() -> bool:
        page = (await service.get(f"/v1/calls?{PERIOD}")).json()
        states = [call["row_state"] for call in page["calls"]]
        return states == ["complete"] * 9

    await eventually(complete)
    await service.stop()
    first = await rows(box.dsn)
    records = await topic(box, CALLS.name)
    assert len(records) == 2 * len(told)
    async with connected(box.dsn) as database:
        async with database.acquire() as connection:
            await connection.execute("TRUNCATE calls, call_heads, call_events, recordings")
        again = [
            (by_type(dict(one.headers)), dict(one.headers)["ce_id"].decode(), json.loads(one.value)) for one in records
        ]
        for start in range(0, len(again), 7):
            await project(database, vault(box.folder), again[start : start + 7])
    second = await rows(box.dsn)
    assert [sorted(set(new) ^ set(old), key=str) for new, old in zip(second, first, strict=True)] == [[]] * len(first)


def by_type(headers: dict[str, bytes]) -> str:
    from ingest_story import KINDS

    return {value: kind for kind, value in KINDS.items()}[headers["ce_type"].decode()]
