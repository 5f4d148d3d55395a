"""Killed and frozen at every await of consuming and of publishing, in a crowd of eight: nothing is lost.

Once it is quiet the database says what the platform said last of each order, and the compacted topic, read by one who
knows nothing, says what the database says. What nobody could read is among the dead letters. `make test` tries the
moments that matter most, `make nightly` all of them.
"""

import asyncio
import os
import signal
from collections import Counter

import pytest
from binder_events import POOL, furnish
from binder_process import tokens_file, until
from failpoints import CONSUMING, PUBLISHING
from fault_scene import Crowd, Platform, cold_read, letter_keys, make_topics, roll
from model_calls import reached
from model_world import record_of

from fareline_chassis.health import HealthComponent
from fareline_chassis.postgres.pool import Database
from fareline_chassis.publication.leases import LEASE_FOR
from fareline_contracts.bindings import BindingRecord
from order_binder.outbound.documents import order_of
from order_binder.outbound.published_records import revision_of
from order_binder.outbound.registry import PostgresRegistry
from order_binder.outbound.schema import Schema

EFFORT = int(os.environ.get("FARELINE_EFFORT", "1"))
ARMED, HEALTHY = 5, 3
KILL, FREEZE = signal.SIGKILL, signal.SIGSTOP
TELLING = (
    (KILL, ("unit.save.after", "commit.after", "letters.send.before", "sender.send.after", "source.mark.before")),
    (
        FREEZE,
        ("unit.save.after", "commit.after", "source.unpublished.after", "sender.send.before", "leases.acquire.after"),
    ),
)
EVERYTHING = CONSUMING + PUBLISHING
ALL = tuple(
    (deed, EVERYTHING[start : start + ARMED]) for deed in (KILL, FREEZE) for start in range(0, len(EVERYTHING), ARMED)
)
WAVES = TELLING if EFFORT == 1 else ALL
ORDERS = "SELECT * FROM order_binder.orders ORDER BY tenant, order_id"
ATTENDING = "SELECT holder FROM order_binder.publication_lease_holder WHERE expires_at - $2::interval > $1"


@pytest.fixture
async def database(database_url):
    await Schema(database_url).migrate("all")
    found = Database(database_url, 1, 4, HealthComponent("postgres"))
    await found.connect()
    await furnish(PostgresRegistry(found))
    yield found
    await found.close()


@pytest.fixture
def crowd(database_url, kafka_bootstrap, topic_prefix, tmp_path):
    environment = {
        "KAFKA_BOOTSTRAP": kafka_bootstrap,
        "KAFKA_TOPIC_PREFIX": topic_prefix,
        "DATABASE_URL": database_url,
        "DATABASE_POOL_MAX": "4",
        "FARELINE_TOKENS_FILE": str(tokens_file(tmp_path)),
        "SWEEP_EVERY_S": "2",
    }
    found = Crowd(environment, tmp_path)
    yield found
    found.end()


async def rows(database):
    async with database.acquire() as connection:
        return await connection.fetch(ORDERS)


async def clock(database):
    async with database.acquire() as connection:
        return await connection.fetchval("SELECT clock_timestamp()")


async def attending(database, since):
    """Return who has asked for partitions since then."""
    async with database.acquire() as connection:
        return [row["holder"] for row in await connection.fetch(ATTENDING, since, LEASE_FOR)]


async def heard(database, latest) -> bool:
    """Whether the database has come to what was said of each order, or further."""
    versions = {row["order_id"]: row["version"] for row in await rows(database)}
    return all(versions.get(order, -1) >= version for order, (version, _) in latest.items())


@pytest.mark.timeout(600 * (1 if EFFORT == 1 else 10))
async def test_nothing_is_lost_whoever_dies_or_freezes_wherever(crowd, database, kafka_bootstrap, topic_prefix):
    await make_topics(kafka_bootstrap, topic_prefix)
    platform = Platform(kafka_bootstrap, topic_prefix)
    writing = asyncio.create_task(platform.run())
    for _ in range(HEALTHY):
        crowd.start()
    woken, since = [], await clock(database)
    for deed, points in WAVES:
        await crowd.retire(woken, lambda since=since: attending(database, since))
        armed = [crowd.start(point, deed, nth=2) for point in points]
        await crowd.all_fell(armed, frozen=deed is FREEZE)
        said = dict(platform.latest)
        await until(lambda said=said: heard(database, said), within=120, say=crowd.last_words)
        woken, since = (armed if deed is FREEZE else []), await clock(database)
        crowd.wake(woken)
    writing.cancel()
    await asyncio.wait([writing])

    await until(lambda: heard(database, platform.latest), within=120, say=crowd.last_words)
    await until(lambda: at_rest(database, kafka_bootstrap, topic_prefix), within=120, say=crowd.last_words)
    stored = await rows(database)
    assert {row["order_id"]: (row["version"], row["status"]) for row in stored} == platform.latest
    await until(lambda: put_aside(platform.unreadable, kafka_bootstrap, topic_prefix), within=120, say=crowd.last_words)
    crowd.end()
    bound = {b"demo/%s" % row["order_id"].encode(): record_of(order_of(row)) for row in stored}
    left = await until(lambda: compacted(kafka_bootstrap, topic_prefix), within=120)
    assert plain(left) == plain({key: record for key, record in bound.items() if record})
    now = max(row["updated_at"] for row in stored)
    for number in POOL:
        for phone in {phone for row in stored for phone in row["phones"]}:
            assert len(reached(left.values(), number, phone, now, main=False)) <= 1


async def put_aside(unreadable, bootstrap, prefix) -> bool:
    """Whether whatever could not be read is among the dead letters, and nothing else is."""
    return await letter_keys(bootstrap, prefix) == unreadable


async def at_rest(database, bootstrap, prefix) -> bool:
    """Whether everything is published, and every key's last record is its highest revision."""
    if any(row["revision"] != row["published_revision"] for row in await rows(database)):
        return False
    last, highest = {}, Counter()
    for record in await cold_read(bootstrap, prefix):
        key, revision = revision_of(record)
        last[key] = revision
        highest[key] = max(highest[key], revision)
    return last == highest


async def compacted(bootstrap, prefix) -> dict | None:
    """Return the bindings once compaction has left one record of each."""
    await roll(bootstrap, prefix)
    records = await cold_read(bootstrap, prefix)
    if len({record.key for record in records}) < len(records):
        return None
    return {record.key: BindingRecord.model_validate_json(record.value) for record in records if record.value}


def plain(bindings: dict) -> dict:
    """Return bindings without the one word that follows the clock."""
    return {key: record.model_dump(exclude={"state"}) for key, record in bindings.items()}
