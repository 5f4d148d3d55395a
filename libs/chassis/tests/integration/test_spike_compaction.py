"""Compaction on a real broker, with the compacted topics' figures scaled down from hours to seconds."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime

import pytest
from eventually import eventually
from fake_publication import MemoryLeaseStore, MemoryRows
from kafka_scene import Scene

from fareline_chassis.health import Health, HealthComponent
from fareline_chassis.kafka.assigned import AssignedReader
from fareline_chassis.kafka.producer import Producer
from fareline_chassis.kafka.records import InRecord
from fareline_chassis.publication.publication import Publication

COMPACTED = {
    "cleanup_policy": "compact",
    "segment_ms": "300",
    "min_cleanable_dirty_ratio": "0.1",
    "max_compaction_lag_ms": "500",
    "delete_retention_ms": "200",
}
TOPIC = "compacted"


@pytest.fixture
async def scene(kafka_bootstrap: str, topic_prefix: str) -> Scene:
    scene = Scene(kafka_bootstrap, topic_prefix)
    await scene.topic(TOPIC, **COMPACTED)
    return scene


def reader_of(scene: Scene) -> AssignedReader:
    return AssignedReader(scene.bootstrap, [TOPIC], client_id="cold", topic_prefix=scene.prefix)


def revision_of(record: InRecord) -> tuple[bytes, int] | None:
    revision = record.header("revision")
    return None if revision is None or record.key is None else (record.key, int(revision))


async def append(scene: Scene, key: bytes, *revisions: int) -> None:
    for revision in revisions:
        await scene.append(TOPIC, [b"%d" % revision], key=key, headers=[("revision", b"%d" % revision)])


async def cold_read(scene: Scene) -> list[InRecord]:
    reader = reader_of(scene)
    await reader.start(HealthComponent("kafka"))
    try:
        records = [record async for batch in reader.load() for record in batch]
        assert reader.caught_up
        return records
    finally:
        await reader.stop()


async def compacted_view(scene: Scene) -> dict[bytes | None, list[bytes | None]]:
    """Return all values of each key once compaction has left one for each (the active segment's filler aside)."""

    async def look() -> dict[bytes | None, list[bytes | None]] | None:
        await scene.append(TOPIC, [b"."], key=b"filler")
        values: dict[bytes | None, list[bytes | None]] = {}
        for record in await cold_read(scene):
            values.setdefault(record.key, []).append(record.value)
        values.pop(b"filler", None)
        return values if all(len(found) == 1 for found in values.values()) else None

    return await eventually(look, within=60, every=0.4)


async def test_a_cold_reader_sees_the_last_record_of_each_key(scene: Scene) -> None:
    for round_ in range(1, 6):
        await append(scene, b"a", round_)
        await append(scene, b"b", round_ * 10)
    await append(scene, b"once", 7)

    assert await compacted_view(scene) == {b"a": [b"5"], b"b": [b"50"], b"once": [b"7"]}


async def test_left_alone_a_late_lower_revision_would_win(scene: Scene) -> None:
    await append(scene, b"a", 5, 4)

    assert await compacted_view(scene) == {b"a": [b"4"]}


@asynccontextmanager
async def publishing(scene: Scene, rows: MemoryRows) -> AsyncIterator[Publication]:
    health = Health()
    producer = Producer(scene.bootstrap, client_id="publisher", topic_prefix=scene.prefix)
    await producer.start(health.component("kafka"))
    publication = Publication(
        topic=TOPIC,
        partitions=1,
        holder="one",
        source=rows,
        sender=producer,
        leases=MemoryLeaseStore(lambda: datetime.now(UTC)),
        reader=lambda: reader_of(scene),
        revision_of=revision_of,
        health=health,
    )
    running = asyncio.create_task(publication.run())
    try:
        yield publication
    finally:
        running.cancel()
        await asyncio.wait([running])
        await producer.stop()


async def test_read_back_finds_a_late_lower_revision_and_repairs_it(scene: Scene) -> None:
    rows = MemoryRows(lambda: datetime.now(UTC))
    rows.put(b"a", 5, b"5")
    rows.put(b"b", 6, b"6")
    async with publishing(scene, rows):

        async def published() -> bool:
            return rows.published == {b"a": 5, b"b": 6}

        async def repaired() -> bool:  # compaction may have been here already
            return [record.value for record in await cold_read(scene) if record.key == b"a"][-1] == b"5"

        await eventually(published)
        await append(scene, b"a", 4)
        await eventually(repaired)

    assert await compacted_view(scene) == {b"a": [b"5"], b"b": [b"6"]}


async def test_what_was_appended_late_before_the_start_is_repaired_too(scene: Scene) -> None:
    await append(scene, b"a", 5, 4)
    rows = MemoryRows(lambda: datetime.now(UTC))
    rows.put(b"a", 5, b"5")
    rows.published[b"a"] = 5
    async with publishing(scene, rows):

        async def repaired() -> bool:
            return (await cold_read(scene))[-1].value == b"5"

        await eventually(repaired)
