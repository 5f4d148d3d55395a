"""The service as a process: events in, rows and audio out, at least once and stored once."""

import asyncio
import hashlib
from pathlib import Path

import httpx
import pytest
from aiohttp import web
from aiokafka import AIOKafkaConsumer
from ingest_source import audio, file_source
from ingest_stack import Running, ServiceBox, connected, eventually, migrated, out_record, send
from ingest_story import answered_call, ended, ready, routed

from fareline_chassis.kafka.records import OutRecord
from fareline_contracts.recordings import RecordingMissing, RecordingStored
from fareline_contracts.topics import CALLS, RECORDINGS
from fareline_devstack.ports import free_port

PERIOD = "since=2026-11-24T00:00:00Z&until=2026-11-25T00:00:00Z"
TRACE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


@pytest.fixture
async def box(database_url: str, kafka_bootstrap: str, registry_topics: str, tmp_path: Path) -> ServiceBox:
    await migrated(database_url)
    return ServiceBox(database_url, kafka_bootstrap, registry_topics, tmp_path)


async def tell(box: ServiceBox, *told: OutRecord) -> None:
    await send(box.bootstrap, box.prefix, list(told))


async def settled(service: Running, call_id: str, count: int = 1) -> list[dict[str, object]]:
    async def check() -> list[dict[str, object]]:
        response = await service.get(f"/v1/calls/{call_id}/recordings")
        found = response.json().get("recordings", [])
        return found if len(found) == count and all(one["state"] in ("stored", "missing") for one in found) else []

    return await eventually(check)


async def read_topic(
    box: ServiceBox, topic: str, count: int
) -> list[tuple[bytes | None, bytes | None, dict[str, bytes]]]:
    consumer = AIOKafkaConsumer(
        box.prefix + topic, bootstrap_servers=box.bootstrap, auto_offset_reset="earliest", enable_auto_commit=False
    )
    await consumer.start()
    try:
        async with asyncio.timeout(60):
            return [(r.key, r.value, dict(r.headers)) for r in [await consumer.getone() for _ in range(count)]]
    finally:
        await consumer.stop()


async def test_a_call_from_events_to_audio(box: ServiceBox) -> None:
    body = audio(51.0)
    async with file_source() as source, box.running() as service:
        url = source.file("/r.wav", body)
        await tell(box, *(out_record(told, traceparent=TRACE) for told in answered_call(url=url)))
        (entry,) = await settled(service, "c-1")
        assert (entry["state"], entry["sha256"]) == ("stored", hashlib.sha256(body).hexdigest())
        assert (entry["duration_s"], entry["size_bytes"], entry["channels"]) == (51.0, len(body), 1)

        page = (await service.get(f"/v1/calls?{PERIOD}")).json()
        (call,) = page["calls"]
        assert (call["order_id"], call["reason"], call["talk_s"], call["row_state"]) == (
            "o-1001",
            "pair",
            51.0,
            "complete",
        )
        assert (call["recording"], call["caller"], call["target"]) == ("stored", "+7***2233", "+7***4567")
        (seen,) = (await service.get(f"/v1/calls?{PERIOD}", token="chief")).json()["calls"]
        assert (seen["caller"], seen["target"]) == ("+79031112233", "+79261234567")

        shown = (await service.get("/v1/calls/c-1")).json()
        assert next(moment["what"] for moment in shown["timeline"]) == "call.started"
        assert shown["decisions"][0]["rules"][0]["outcome"] == "fits"
        of_order = (await service.get("/v1/tenants/demo/orders/o-1001/calls")).json()["calls"]
        assert [one["call_id"] for one in of_order] == ["c-1"]

        place = f"/v1/recordings/{entry['recording_id']}"
        whole = await service.get(place)
        assert (whole.status_code, whole.content, whole.headers["content-type"]) == (200, body, "audio/wav")
        part = await service.get(place, Range="bytes=-100")
        assert (part.status_code, part.content) == (206, body[-100:])
        assert part.headers["content-range"] == f"bytes {len(body) - 100}-{len(body) - 1}/{len(body)}"
        beyond = await service.get(place, Range=f"bytes={len(body)}-")
        assert (beyond.status_code, beyond.headers["content-range"]) == (416, f"bytes */{len(body)}")
        waveform = (await service.get(f"{place}/waveform")).json()
        assert 190 <= len(waveform["peaks"][0]) <= 210

        ((key, value, headers),) = await read_topic(box, RECORDINGS.name, 1)
        fact = RecordingStored.model_validate_json(value or b"")
        assert (key, fact.sha256, fact.order_id) == (b"c-1", entry["sha256"], "o-1001")
        assert headers["traceparent"] == TRACE.encode()
        assert await service.stop() == 0
    assert len(box.stored_files()) == 1
    assert b"9031112233" not in b"".join(log.read_bytes() for log in box.folder.glob("*.log"))


async def test_who_may_read_what(box: ServiceBox) -> None:
    async with file_source() as source, box.running() as service:
        await tell(box, *(out_record(told) for told in answered_call(url=source.file("/r.wav", audio()))))
        (entry,) = await settled(service, "c-1")
        place = f"/v1/recordings/{entry['recording_id']}"

        async def status(path: str, token: str) -> int:
            return (await service.get(path, token=token)).status_code

        assert await status("/v1/calls/c-1", "nobody") == 401
        assert await status(place, "clerk") == 403
        assert await status("/v1/calls?tenant=solo", "analyst") == 403
        for path in ("/v1/calls/c-1", "/v1/calls/c-1/recordings", place, f"{place}/waveform"):
            assert await status(path, "stranger") == 404
        assert (await service.get(f"/v1/calls?{PERIOD}", token="stranger")).json()["calls"] == []
        assert await status("/v1/tenants/demo/orders/o-1001/calls", "stranger") == 403


async def test_what_sources_do_and_what_becomes_of_it(box: ServiceBox) -> None:
    body = audio(1.0)
    async with file_source() as source, box.running() as service:
        urls = {
            "cut": source.cut("/cut", body[:900], len(body)),
            "gone": source.status("/gone", 404),
            "html": source.file("/html", b"<html>log in</html>"),
            "empty": source.file("/empty", b""),
            "half": source.file("/half", body[: len(body) // 2]),
            "inside": source.status("/inside", 302, Location="http://169.254.169.254/a.wav"),
        }
        flaky = [503, 503]

        async def recovers(_: object) -> object:
            return web.Response(status=flaky.pop()) if flaky else web.Response(body=body)

        urls["flaky"] = source.handle("/flaky", recovers)  # type: ignore[arg-type]
        told = [ready(call_id=name, url=url) for name, url in urls.items()]
        await tell(box, *(out_record(one) for one in told))
        ends = {name: (await settled(service, name))[0] for name in urls}
        assert {name: (end["state"], end["reason"]) for name, end in ends.items()} == {
            "cut": ("missing", "incomplete"),
            "gone": ("missing", "not_found"),
            "html": ("missing", "not_audio"),
            "empty": ("missing", "not_audio"),
            "half": ("missing", "incomplete"),
            "inside": ("missing", "refused_address"),
            "flaky": ("stored", None),
        }
        assert {name: end["attempts"] for name, end in ends.items()} == dict.fromkeys(urls, 3) | {"inside": 1}
        facts = await read_topic(box, RECORDINGS.name, len(urls))
        missing = [
            RecordingMissing.model_validate_json(value or b"") for _, value, h in facts if b"missing" in h["ce_type"]
        ]
        assert {fact.call_id: str(fact.reason) for fact in missing}["gone"] == "not_found"
        refused = await service.get(f"/v1/recordings/{ends['gone']['recording_id']}")
        assert (refused.status_code, refused.json()["detail"]) == (404, "It is missing (not_found).")
    assert len(box.stored_files()) == 1


async def test_killed_while_downloading_it_is_stored_once_by_the_next(box: ServiceBox) -> None:
    body, gate = audio(5.0), asyncio.Event()
    async with file_source() as source:
        url = source.slow("/slow.wav", body, gate)
        box.lease_s = 3
        async with box.running() as first:
            await tell(box, *(out_record(told) for told in answered_call(url=url)))

            async def begun() -> bool:
                return bool(source.asked)

            await eventually(begun)
            await first.kill()
        assert box.stored_files() == []
        gate.set()
        box.lease_s = 60
        async with box.running() as second:
            (entry,) = await settled(second, "c-1")
            assert (entry["state"], entry["sha256"]) == ("stored", hashlib.sha256(body).hexdigest())
    assert [path.read_bytes() for path in box.stored_files()] == [body]


async def test_what_cannot_be_decoded_is_a_dead_letter_and_its_neighbours_are_not(box: ServiceBox) -> None:
    good = [out_record(routed(call_id=f"c-{n}")) for n in range(3)]
    kind = (("ce_type", b"fareline.call.routed.v1"), ("ce_id", b"x"), ("odd", b"\xff\xfe"))
    broken = OutRecord(CALLS.name, b"c-0", b"\xff{not json", kind)
    unknown = OutRecord(CALLS.name, b"c-0", b"{}", (("ce_type", b"fareline.call.hummed.v1"), ("ce_id", b"y")))
    async with box.running() as service:
        await tell(box, good[0], broken, unknown, *good[1:], out_record(ended(call_id="c-0")))
        ((key, value, headers),) = await read_topic(box, f"{CALLS.name}.dlq", 1)
        assert (key, value, headers["dlq-reason"]) == (b"c-0", b"\xff{not json", b"invalid")
        assert headers["odd"] == b"\xff\xfe"

        async def all_there() -> bool:
            calls = (await service.get(f"/v1/calls?{PERIOD}")).json()["calls"]
            return {call["call_id"]: call["row_state"] for call in calls} == {
                "c-0": "complete", "c-1": "partial", "c-2": "partial",
            }  # fmt: skip

        await eventually(all_there)
        metrics = (await service.client.get("/metrics")).text
        assert 'fareline_ingest_call_events_total{outcome="skipped"} 1.0' in metrics
        assert 'fareline_ingest_call_events_total{outcome="dead"} 1.0' in metrics


async def test_pages_follow_their_cursor(box: ServiceBox) -> None:
    async with box.running() as service:
        await tell(box, *(out_record(routed(n // 2, call_id=f"c-{n}")) for n in range(9)))

        async def all_there() -> bool:
            return len((await service.get(f"/v1/calls?{PERIOD}")).json()["calls"]) == 9

        await eventually(all_there)
        seen, cursor = [], ""
        while cursor is not None:
            page = (await service.get(f"/v1/calls?{PERIOD}&limit=4{cursor and '&cursor='}{cursor}")).json()
            seen += [call["call_id"] for call in page["calls"]]
            cursor = page["next"]
        assert seen == [f"c-{n}" for n in range(8, -1, -1)]


async def test_the_access_log_is_written_first(box: ServiceBox) -> None:
    async with file_source() as source, box.running() as service:
        await tell(box, *(out_record(told) for told in answered_call(url=source.file("/r.wav", audio()))))
        (entry,) = await settled(service, "c-1")
        await service.get(f"/v1/recordings/{entry['recording_id']}", Range="bytes=0-9")
        async with connected(box.dsn) as database, database.acquire() as connection:
            rows = await connection.fetch("SELECT actor, action FROM access_log WHERE begun IS NULL")
            assert [tuple(row) for row in rows] == [("analyst", "listen")]
            await connection.execute("ALTER TABLE access_log RENAME TO access_log_gone")
        refused = await service.get(f"/v1/recordings/{entry['recording_id']}")
        assert refused.status_code == 500
        assert b"RIFF" not in refused.content


async def test_killed_again_and_again_every_recording_is_stored_once(box: ServiceBox) -> None:
    box.attempts, box.lease_s = 8, 3
    bodies = {f"c-{n}": audio(0.2 + n / 50) for n in range(24)}
    async with file_source() as source:
        told = [ready(call_id=name, url=source.file(f"/{name}", body)) for name, body in bodies.items()]
        await tell(box, *(out_record(one) for one in told))
        for asked in (1, 9, 17):
            async with box.running(ready=False) as doomed:

                async def reached(wanted: int = asked) -> bool:
                    return len(source.asked) >= wanted

                await eventually(reached)
                await doomed.kill()
        box.lease_s = 60
        async with box.running() as service:
            ends = {name: (await settled(service, name))[0] for name in bodies}
    assert {name: end["sha256"] for name, end in ends.items()} == {
        name: hashlib.sha256(body).hexdigest() for name, body in bodies.items()
    }
    kept = sorted(path.read_bytes() for path in box.stored_files())
    assert kept == sorted(bodies.values())


async def test_without_kafka_it_says_so_answers_questions_and_stops(database_url: str, tmp_path: Path) -> None:
    await migrated(database_url)
    box = ServiceBox(database_url, f"127.0.0.1:{free_port()}", "", tmp_path)
    async with box.running(ready=False) as service:

        async def waits() -> bool:
            try:
                health = await service.client.get("/health/ready")
            except httpx.TransportError:
                return False
            return health.status_code == 503 and health.json()["components"].get("kafka", {}).get("state") == "waiting"

        await eventually(waits)
        assert (await service.get("/v1/calls")).json()["calls"] == []
        assert await service.stop() == 0


async def test_without_postgres_it_says_so_and_stops(
    kafka_bootstrap: str, registry_topics: str, tmp_path: Path
) -> None:
    port = free_port()
    box = ServiceBox(f"postgresql://nobody@127.0.0.1:{port}/none", kafka_bootstrap, registry_topics, tmp_path)
    async with box.running(ready=False) as service:

        async def waits() -> bool:
            try:
                health = await service.client.get("/health/startup")
            except httpx.TransportError:
                return False
            return health.json()["components"]["postgres"]["state"] == "waiting"

        await eventually(waits)
        assert (await service.get("/v1/calls")).status_code == 503
        assert await service.stop() == 0
