"""What is kept for how long, what is held, and who is forgotten: in tables, storage and queues."""

import asyncio
import hashlib
import json
import sys
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from ingest_keys import vault
from ingest_push import grant, recordings_over
from ingest_source import audio
from ingest_stack import ServiceBox, connected, in_record, migrated
from ingest_story import START, Told, answered_call, ready, routed

from fareline_chassis.auth import TokenBook
from fareline_chassis.kafka.records import InRecord
from fareline_chassis.postgres.pool import Database
from fareline_chassis.problems import problem_handlers
from recording_ingest.domain.identity import call_id_of
from recording_ingest.domain.keeping import Hold, Person, Receipt, Retention
from recording_ingest.domain.recordings import Waits, object_key
from recording_ingest.inbound.access import Gate
from recording_ingest.inbound.kafka import decode
from recording_ingest.inbound.keeping_api import KeepingApi
from recording_ingest.inbound.tenants import TenantsIn
from recording_ingest.outbound.phone_vault import PhoneVault
from recording_ingest.outbound.postgres_calls import PostgresCalls
from recording_ingest.outbound.postgres_erasures import PostgresErasures
from recording_ingest.outbound.postgres_keeping import PostgresKeeping
from recording_ingest.outbound.postgres_ledger import PostgresLedger
from recording_ingest.outbound.postgres_projection import PostgresCallLog
from recording_ingest.outbound.storage import ObjectStorage
from recording_ingest.usecases.forget import (
    Forgetting,
    LetGo,
    apply_retention,
    carry_on,
    erase_person,
    sweep_orphans,
)
from recording_ingest.usecases.project_calls import project_calls

DRIVER, CLIENT = "+79031112233", "+79261234567"
NOW = START + timedelta(days=1)
URL = "https://pbx.example/a.wav"


@dataclass
class World:
    """A call log with audio, and a clock that a test moves."""

    database: Database
    phones: PhoneVault
    store: ObjectStorage
    folder: Path
    now: datetime = NOW

    @property
    def tools(self) -> Forgetting:
        keeping = PostgresKeeping(self.database, Retention())
        erasures = PostgresErasures(self.database, self.phones)
        return Forgetting(keeping, erasures, self.store, lambda: self.now, timedelta(days=30))

    async def tell(self, told: Sequence[Told]) -> None:
        batch = [kept for kept in map(decode, map(in_record, told)) if kept]
        await project_calls(PostgresCallLog(self.database, self.phones), batch, lambda _: Waits())

    async def store_audio(self, call_id: str, *, tenant: str = "demo", stored_at: datetime = NOW) -> None:
        """Let the call's recording be stored."""
        key = f"audio/{tenant}/00/{hashlib.md5(call_id.encode()).hexdigest()}"
        await self.publish(key)
        await self.run(
            "UPDATE recordings SET state = 'stored', object_key = $2, sha256 = 'aa', size_bytes = 5, stored_at = $3,"
            " tenant = $4 WHERE call_id = $1",
            call_id, key, stored_at, tenant,
        )  # fmt: skip

    async def publish(self, key: str) -> None:
        path = self.store.scratch("made")
        path.write_bytes(b"audio")
        await self.store.publish(path, key)

    async def run(self, sql: str, *values: object) -> list[Any]:
        async with self.database.acquire() as connection:
            return list(await connection.fetch(sql, *values))

    async def states(self) -> dict[str, str]:
        return {row["call_id"]: row["state"] for row in await self.run("SELECT call_id, state FROM recordings")}

    def files(self) -> int:
        return sum(path.is_file() for path in (self.folder / "store" / "audio").rglob("*"))

    async def erase(self, *phones: str, **ids: str) -> Receipt:
        return await erase_person(self.tools, Person("demo", phones, **ids), actor="chief")


@pytest.fixture
async def world(database_url: str, tmp_path: Path) -> AsyncIterator[World]:
    await migrated(database_url)
    async with connected(database_url) as database:
        store = ObjectStorage(str(tmp_path / "store"))
        yield World(database, vault(tmp_path), store, tmp_path)


async def two_calls(world: World) -> None:
    """One of the driver, one of somebody else; both with stored audio."""
    await world.tell(answered_call("c-1"))
    await world.tell([routed(0, call_id="c-2", caller="+79039998877", order_id=None, actions=[{"do": "fallback", "target": "operator"}]),
                      ready(65, call_id="c-2")])  # fmt: skip
    for call_id in ("c-1", "c-2"):
        await world.store_audio(call_id)


async def personal(world: World, call_id: str) -> int:
    """Count the places in which something personal of a call stands."""
    (row,) = await world.run(
        "SELECT (SELECT count(*) FROM call_events WHERE call_id = $1 AND sealed IS NOT NULL)"
        " + (SELECT count(*) FROM call_events WHERE call_id = $1 AND data::text ~ 'd-5|c-77')"
        " + (SELECT count(*) FROM calls WHERE call_id = $1 AND (caller_hash IS NOT NULL OR caller_sealed IS NOT NULL"
        " OR caller_masked IS NOT NULL OR target_hash IS NOT NULL OR target_sealed IS NOT NULL OR driver_id IS NOT NULL"
        " OR client_id IS NOT NULL))"
        " + (SELECT count(*) FROM recordings WHERE call_id = $1 AND (url IS NOT NULL OR audio IS NOT NULL"
        " OR object_key IS NOT NULL)) AS places",
        call_id,
    )
    return int(row["places"])


@pytest.mark.parametrize("whom", ["phone", "id", "callee"])
async def test_a_person_is_gone_and_the_row_stays(world: World, whom: str) -> None:
    await two_calls(world)
    assert await personal(world, "c-1") > 0
    by_phone = {"phone": DRIVER, "callee": CLIENT}
    receipt = await (world.erase(by_phone[whom]) if whom in by_phone else world.erase(driver_id="d-5"))
    assert (receipt.calls, receipt.recordings, receipt.held, receipt.finished_at) == (1, 1, 0, NOW)
    assert receipt.topics_clear_at == NOW + timedelta(days=30)
    assert await personal(world, "c-1") == 0
    assert (await world.states(), world.files()) == ({"c-1": "deleted", "c-2": "stored"}, 1)
    found = await PostgresCalls(world.database, world.phones).call("c-1")
    assert found is not None
    assert (found.row.caller, found.row.target, found.row.order_id, found.row.talk_s) == (None, None, "o-1001", 51.0)
    other = await PostgresCalls(world.database, world.phones).call("c-2")
    assert other is not None
    assert other.row.caller == "+79039998877"


async def test_what_was_still_to_be_fetched_is_not(world: World) -> None:
    await world.tell(answered_call("c-1", url=URL))
    queue = PostgresLedger(world.database)
    (job,) = await queue.lease(5, lease_for=timedelta(minutes=1))
    await world.erase(DRIVER)
    assert not await queue.renew(job, lease_for=timedelta(minutes=1))
    assert not await queue.finish(job, job.entry)
    await world.tell([ready(66, source_id="rec-2", part=2, url=URL)])
    assert await queue.lease(5, lease_for=timedelta(minutes=1)) == []
    await carry_on(world.tools)
    assert set((await world.states()).values()) == {"deleted"}


async def test_a_download_that_was_under_way_leaves_nothing(world: World) -> None:
    await world.tell(answered_call("c-1", url=URL))
    (job,) = await PostgresLedger(world.database).lease(5, lease_for=timedelta(minutes=1))
    await world.erase(DRIVER)
    await world.publish(object_key(job.entry))
    world.now = datetime.now(UTC)
    await carry_on(world.tools)
    assert world.files() == 0


async def test_what_arrives_late_is_erased_on_arrival_and_a_new_call_is_not(world: World) -> None:
    await world.erase(DRIVER)
    await world.tell(answered_call("c-1"))
    world.now = NOW + timedelta(days=2)
    await world.tell([routed(86_400 * 2, call_id="c-9")])
    await carry_on(world.tools)
    assert (await personal(world, "c-1"), await personal(world, "c-9") > 0) == (0, True)
    await world.tell([routed(30, step=2, call_id="c-1", caller=None)])
    assert await personal(world, "c-1") > 0
    await carry_on(world.tools)
    assert await personal(world, "c-1") == 0


async def test_rebuilt_from_the_topic_it_is_erased_again(world: World) -> None:
    await two_calls(world)
    await world.erase(DRIVER)
    await world.run("DELETE FROM call_events")
    await world.tell(answered_call("c-1"))
    await carry_on(world.tools)
    assert await personal(world, "c-1") == 0


async def test_whom_it_was_about_is_forgotten_when_the_topics_are_clear(world: World) -> None:
    await world.erase(DRIVER, client_id="c-77")
    world.now = NOW + timedelta(days=31)
    await carry_on(world.tools)
    (row,) = await world.run("SELECT phone_hashes, driver_id, client_id, calls FROM erasures")
    assert tuple(row) == ([], None, None, 0)


async def test_an_erasure_cut_short_is_carried_on(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    await two_calls(world)

    async def away(keys: Sequence[str]) -> None:
        raise OSError("storage is away")

    with monkeypatch.context() as patch:
        patch.setattr(world.store, "remove", away)
        with pytest.raises(OSError, match="away"):
            await world.erase(DRIVER)
    assert (world.files(), (await world.states())["c-1"]) == (2, "deleted")
    await carry_on(world.tools)
    (row,) = await world.run("SELECT calls, finished_at FROM erasures")
    assert (world.files(), row["calls"], row["finished_at"]) == (1, 1, NOW)


async def tenant_says(world: World, tenant: str, recording_days: int, call_days: int, revision: int = 5) -> None:
    policy = {"recording_retention_days": recording_days, "call_retention_days": call_days}
    value = json.dumps({"tenant": tenant, "revision": revision, "region": "RU", "policy": policy}).encode()
    records = [InRecord("t", 0, 0, 0, tenant.encode(), body, ()) for body in (b"{broken", None, value)]
    await TenantsIn(PostgresKeeping(world.database, Retention()).save_policy)(records)


async def test_each_tenants_policy_says_what_goes(world: World) -> None:
    await tenant_says(world, "demo", 10, 3000)
    await tenant_says(world, "demo", 99, 99, revision=4)
    for name, tenant, age in (("c-1", "demo", 11), ("c-2", "demo", 9), ("c-3", "solo", 179), ("c-4", "solo", 181)):
        await world.tell([routed(call_id=name, tenant=tenant), ready(call_id=name, url=URL)])
        await world.store_audio(name, tenant=tenant, stored_at=NOW - timedelta(days=age))
    due = {one.tenant: (one.recordings, one.bytes, one.calls) for one in await world.tools.keeping.due(NOW)}
    assert due == {"demo": (1, 5, 0), "solo": (1, 5, 0)}
    assert (await world.states(), world.files()) == (dict.fromkeys(["c-1", "c-2", "c-3", "c-4"], "stored"), 4)
    assert await apply_retention(world.tools) == LetGo(recordings=2)
    assert await world.states() == {"c-1": "deleted", "c-2": "stored", "c-3": "stored", "c-4": "deleted"}
    assert world.files() == 2
    assert await apply_retention(world.tools) == LetGo()


async def test_old_calls_go_whole(world: World) -> None:
    await two_calls(world)
    world.now = START + timedelta(days=731)
    assert await apply_retention(world.tools) == LetGo(recordings=2, calls=2)
    for table in ("calls", "call_heads", "call_events", "recordings"):
        assert await world.run(f"SELECT * FROM {table}") == []
    assert world.files() == 0


async def test_old_calls_take_younger_audio_with_them_in_one_run(world: World) -> None:
    await tenant_says(world, "demo", 3000, 30)
    await two_calls(world)
    await world.tell([routed(call_id="c-3"), ready(call_id="c-3", url=URL)])
    await PostgresKeeping(world.database, Retention()).place_hold(Hold("c-2", "demo", "case", "root", NOW))
    world.now = START + timedelta(days=31)
    assert await apply_retention(world.tools) == LetGo(recordings=1, calls=2)
    assert (await world.states(), world.files()) == ({"c-2": "stored"}, 1)


async def test_objects_of_nobody_go_after_a_day(world: World) -> None:
    await two_calls(world)
    await world.publish("audio/demo/00/0a0b0c0d-0000-4000-8000-000000000000")
    world.now = datetime.now(UTC) + timedelta(hours=23)
    assert (await sweep_orphans(world.tools), world.files()) == (0, 3)
    world.now += timedelta(hours=2)
    assert (await sweep_orphans(world.tools), world.files()) == (1, 2)


@pytest.fixture
async def client(world: World) -> AsyncIterator[httpx.AsyncClient]:
    gate = Gate(TokenBook([grant("root", "*"), grant("stranger", "solo")]))
    finder = PostgresCalls(world.database, world.phones)
    app = FastAPI()
    app.include_router(KeepingApi(world.tools, PostgresKeeping(world.database, Retention()), finder, gate).router())
    problem_handlers(app)
    headers = {"Authorization": "Bearer root"}
    transport = httpx.ASGITransport(app=app)
    async with httpx.AsyncClient(transport=transport, base_url="http://ingest", headers=headers) as client:
        yield client


async def test_a_hold_beats_erasure_and_retention_and_is_seen(world: World, client: httpx.AsyncClient) -> None:
    await two_calls(world)
    place = "/v1/calls/c-1/legal-hold"
    assert (await client.get(place)).status_code == 404
    held = await client.put(place, json={"reason": "case 17"})
    assert (held.status_code, held.json()["actor"], held.json()["reason"]) == (200, "root", "case 17")
    assert (await client.put(place, json={"reason": "other"})).json() == held.json()
    assert (await client.get("/v1/legal-holds")).json() == {"holds": [held.json()]}
    receipt = (await client.post("/v1/erasures", json={"tenant": "demo", "phones": [DRIVER]})).json()
    assert (receipt["calls"], receipt["held"]) == (0, 1)
    assert (await personal(world, "c-1") > 0, (await world.states())["c-1"]) == (True, "stored")
    world.now = START + timedelta(days=5000)
    assert [one.held for one in await world.tools.keeping.due(world.now)] == [1]
    await apply_retention(world.tools)
    assert (await world.states(), world.files()) == ({"c-1": "stored"}, 1)
    assert (await client.delete(place)).status_code == 204
    assert (await client.delete(place)).status_code == 404
    await carry_on(world.tools)
    assert (await personal(world, "c-1"), world.files()) == (0, 0)
    receipt = (await client.get(f"/v1/erasures/{receipt['erasure_id']}")).json()
    assert (receipt["calls"], receipt["held"]) == (1, 0)
    log = await world.run("SELECT action, actor FROM legal_hold_log ORDER BY entry_id")
    assert [tuple(row) for row in log] == [("placed", "root"), ("lifted", "root")]


async def test_who_may_ask_for_what(world: World, client: httpx.AsyncClient) -> None:
    for wrong in ({"tenant": "demo"}, {"tenant": "demo", "phones": ["79031112233"]}, {"phones": [DRIVER]}, {"x": 1}):
        assert (await client.post("/v1/erasures", json=wrong)).status_code == 400
    stranger = {"Authorization": "Bearer stranger"}
    asked = {"tenant": "demo", "phones": [DRIVER]}
    assert (await client.post("/v1/erasures", json=asked, headers=stranger)).status_code == 403
    await world.tell(answered_call("c-1"))
    hold = await client.put("/v1/calls/c-1/legal-hold", json={"reason": "x"}, headers=stranger)
    assert hold.status_code == 404
    made = await client.post("/v1/erasures", json=asked)
    assert made.status_code == 201
    assert (await client.get(made.headers["Location"], headers=stranger)).status_code == 404
    assert DRIVER.strip("+") not in made.text


async def test_audio_of_an_erased_call_is_not_taken_in(world: World) -> None:
    call_id = call_id_of("demo-asterisk", "77.1")
    await world.tell([routed(call_id=call_id)])
    await world.erase(DRIVER)
    async with recordings_over(world.database, world.folder) as client:
        put = await client.put(
            "/v1/recordings/demo-asterisk/77.1", content=audio(1.0), headers={"Content-Type": "audio/wav"}
        )
    assert put.status_code == 410
    assert world.files() == 0


async def test_by_hand_it_says_first_and_removes_when_told(world: World, database_url: str) -> None:
    await two_calls(world)
    await world.run("UPDATE recordings SET stored_at = now() - interval '181 days' WHERE call_id = 'c-1'")
    box = ServiceBox(database_url, "127.0.0.1:9", "", world.folder)
    environment = box.environment(0) | {"STORAGE_URL": str(world.folder / "store"), "LOG_LEVEL": "WARNING"}

    async def said(*options: str) -> list[str]:
        argv = (sys.executable, "-m", "recording_ingest", "retention", *options)
        process = await asyncio.create_subprocess_exec(*argv, env=environment, stdout=asyncio.subprocess.PIPE)
        told, _ = await process.communicate()
        assert process.returncode == 0
        return told.decode().splitlines()

    due = "demo: 1 recordings (0.0 MB) and 0 calls are due, 0 calls are held"
    assert await said() == [due, "nothing was changed; --apply removes it"]
    assert world.files() == 2
    assert await said("--apply") == [due, "removed: 1 recordings, 0 calls, 0 objects of nobody"]
    assert await said() == ["nothing is due"]
    assert (await world.states(), world.files()) == ({"c-1": "deleted", "c-2": "stored"}, 1)
