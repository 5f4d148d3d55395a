"""One striking phone goes through everything; seven of its digits then stand in nothing that is not meant to hold it.

Meant to hold it: the topics' values and order-binder's tables, which phones are routed by. Everything else is searched:
logs, metrics, spans, the headers and keys of every dead-letter record, keys of the topics of calls and recordings, and
each column of each table of recording-ingest.
"""

import asyncio
import json
from datetime import UTC, datetime, timedelta
from time import perf_counter

import asyncpg
import httpx
import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer

from fareline_contracts.accounts import load_accounts
from fareline_contracts.orders import OrderStatus
from fareline_contracts.pbx_generic import RecordingReadyReport
from fareline_contracts.topics import CALLS, RECORDINGS, TAXI_ORDERS, dlq_of
from fareline_devstack.story.audio import conversation
from fareline_devstack.story.orders import TaxiOrder
from fareline_devstack.story.people import Person
from fareline_devstack.story.ride import Ride
from fareline_devstack.story.scene import Scene
from fareline_devstack.story.theatre import open_stage

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(600)]

WITHIN_S = 90.0
PHONES = ("+79137246859", "+79648527193")
DRIVER, CLIENT = Person("d-canary", "driver of the canary", PHONES[0]), Person("c-canary", "its client", PHONES[1])
PARTS = tuple(phone[1:][start : start + 7] for phone in PHONES for start in range(5))


def sightings(text):
    """Return which seven digits stand in a text, plainly, between punctuation, or as the hex of a dump."""
    squeezed = "".join(character for character in text if character not in " -().")
    return [part for part in PARTS if part in text or part in squeezed or part.encode().hex() in text]


def test_a_phone_is_seen_however_it_is_written():
    for text in (f"caller={PHONES[0]}", "8 (913) 724-68-59", f"\\x{PHONES[1].encode().hex()}", PHONES[1][4:]):
        assert sightings(text), text
    assert not sightings("+7***6859 and 1700000000.42")


@pytest.fixture(scope="module")
def told(house):
    """Let the phones go through the system by every door; return the call that was recorded."""
    return asyncio.run(tell(house))


async def tell(house):
    accounts = load_accounts(house.accounts_file, demo=True)
    async with open_stage(house.system, accounts, house.zadarma) as stage:
        scene, ride = Scene("canary"), Ride(TaxiOrder("demo", "o-canary", CLIENT))
        await ride.becomes(stage, scene, OrderStatus.ACCEPTED, driver=DRIVER)
        call = stage.zadarma.call(DRIVER.phone, ride.number(scene))
        await ride.connects(stage, scene, call, caller=DRIVER, callee=CLIENT)
        await call.answered_by(CLIENT.phone)
        house.zadarma.keep(call.pbx_call_id, "1700000000.77", (await asyncio.to_thread(conversation, 1)).data)
        await call.ended(talked=timedelta(seconds=1), recording_id="1700000000.77")
        await call.recorded("1700000000.77")
        await own_pbx(stage, ride.number(scene))
        await nonsense(house.system)
        await asked(house.system)
        return await recorded(stage, call.pbx_call_id)


async def own_pbx(stage, number):
    """A PBX that puts the caller into the name of the file, which then is not there."""
    call = stage.own_pbx.call(DRIVER.phone, number)
    await call.start()
    url = f"http://127.0.0.1:9/{DRIVER.phone}-{CLIENT.phone[1:]}.wav?from=%2B{DRIVER.phone[1:]}"
    now = datetime.now(UTC)
    await stage.own_pbx.report(RecordingReadyReport(call_id=call.pbx_call_id, at=now, recording_id="r-1", url=url))


async def nonsense(system):
    """Records that are put aside, with phones wherever one can stand; and requests that are refused."""
    producer = AIOKafkaProducer(bootstrap_servers=system.kafka_bootstrap)
    await producer.start()
    try:
        broken = json.dumps({"tenant": "demo", "order_id": "o-x", "client": {"phones": PHONES}}).encode()
        headers = [("ce_type", b"fareline.call.routed.v1"), ("ce_id", b"canary")]
        await producer.send_and_wait(system.topic_prefix + TAXI_ORDERS.name, broken, b"o-x")
        await producer.send_and_wait(system.topic_prefix + CALLS.name, broken, b"c-x", headers=headers)
    finally:
        await producer.stop()
    async with httpx.AsyncClient(trust_env=False) as http:
        form = {"event": "NOTIFY_START", "caller_id": DRIVER.phone, "called_did": CLIENT.phone, "pbx_call_id": "in_x"}
        await http.post(f"{system.call_router_url}/pbx/zadarma/demo-zadarma", data=form)
        await http.post(f"{system.call_router_url}/pbx/generic/demo-generic", json={"from": DRIVER.phone})


async def asked(system):
    """Questions about the phones, right and wrong ones."""
    headers = {"Authorization": f"Bearer {system.token}"}
    async with httpx.AsyncClient(trust_env=False, headers=headers) as http:
        log = system.recording_ingest_url
        for body in ({"caller": DRIVER.phone}, {"party": CLIENT.phone}, {"caller": f"tel:{DRIVER.phone};x"}):
            await http.post(f"{log}/v1/calls/search", json=body)
        await http.post(f"{log}/v1/erasures", json={"tenant": "demo", "phones": [f"{DRIVER.phone}0000000"]})
        lookup = {"number": "+74950000101", "phone": DRIVER.phone}
        await http.post(f"{system.order_binder_url}/v1/tenants/demo/bindings/lookup", json=lookup)


async def recorded(stage, pbx_call_id):
    deadline = perf_counter() + WITHIN_S
    while perf_counter() < deadline:
        rows = await stage.call_log.calls(stage.opened_at)
        for row in rows:
            if row["pbx_call_id"] == pbx_call_id and row["recording"] == "stored":
                return row
        await asyncio.sleep(0.25)
    pytest.fail("the recording was not stored in time")


def test_it_really_went_through(told):
    assert (told["caller"], told["target"]) == PHONES


def test_no_log_knows_it(house, told):
    for path in sorted(house.logs.rglob("*.log")):
        text = path.read_text(errors="replace")
        assert text, path
        assert sightings(text) == [], path


def test_no_metric_knows_it(house, told):
    system = house.system
    for url in (system.order_binder_url, system.call_router_url, system.recording_ingest_url):
        text = httpx.get(f"{url}/metrics", trust_env=False).text
        assert "fareline" in text
        assert sightings(text) == [], url


def test_no_span_knows_it(collector, told):
    spans = list(collector.spans)
    assert spans
    assert [span for span in spans if sightings(f"{span.name} {span.attributes}")] == []


async def test_no_key_and_no_header_of_a_dead_letter_knows_it(house, told):
    dead = [dlq_of(TAXI_ORDERS).name, dlq_of(CALLS).name]
    records = await read(house.system, [*dead, CALLS.name, RECORDINGS.name], needed=dead)
    seen = [
        (record.topic, record.offset)
        for record in records
        if sightings(f"{record.key} {record.headers if record.topic.endswith('.dlq') else ''}")
    ]
    assert seen == []


async def read(system, topics, *, needed):
    """Return everything on some topics, once there is something on each of those that are needed."""
    consumer = AIOKafkaConsumer(
        *(system.topic_prefix + topic for topic in topics),
        bootstrap_servers=system.kafka_bootstrap,
        auto_offset_reset="earliest",
        enable_auto_commit=False,
        group_id=None,
    )
    await consumer.start()
    found, deadline = [], perf_counter() + WITHIN_S
    try:
        while perf_counter() < deadline:
            batch = [record for records in (await consumer.getmany(timeout_ms=500)).values() for record in records]
            found += batch
            if not batch and {system.topic_prefix + topic for topic in needed} <= {record.topic for record in found}:
                return found
    finally:
        await consumer.stop()
    pytest.fail(f"nothing on one of {needed} within {WITHIN_S:.0f} s")


async def test_no_dump_knows_it(house, told):
    connection = await asyncpg.connect(house.system.database_url)
    try:
        tables = await connection.fetch(
            "SELECT format('%I.%I', schemaname, tablename) AS name FROM pg_tables WHERE schemaname = 'recording_ingest'"
        )
        names = [table["name"] for table in tables]
        assert "recording_ingest.call_events" in names
        seen = {}
        for name in names:
            rows = await connection.fetch(f"SELECT the_row::text AS written FROM {name} AS the_row")
            if found := [sight for row in rows for sight in sightings(row["written"])]:
                seen[name] = sorted(set(found))
        assert seen == {}
        kept = await connection.fetchval("SELECT count(*) FROM recording_ingest.call_events WHERE sealed IS NOT NULL")
        assert kept > 0
    finally:
        await connection.close()
