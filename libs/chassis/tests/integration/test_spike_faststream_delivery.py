"""FastStream with our parser, MANUAL acknowledgement and exact offsets, on a real broker (ADR on consuming)."""

import asyncio
import sys
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

import killed_consumer
import pytest
from aiokafka.errors import KafkaError
from eventually import eventually
from kafka_scene import Scene

from fareline_chassis.health import HealthComponent
from fareline_chassis.kafka.consumer import build_broker, declare_batch_subscriber
from fareline_chassis.kafka.records import InRecord

SOON, IN_GOOD_ORDER = timedelta(milliseconds=200), timedelta(seconds=40)


@pytest.fixture
def scene(kafka_bootstrap: str, topic_prefix: str) -> Scene:
    return Scene(kafka_bootstrap, topic_prefix)


@asynccontextmanager
async def consuming(scene: Scene, handler, *, stop_within=IN_GOOD_ORDER, **figures):
    broker = build_broker(scene.bootstrap, client_id="spike", topic_prefix=scene.prefix, stop_within=stop_within)
    consumer = declare_batch_subscriber(broker, topic="t", group="g", handler=handler, **figures)
    await broker.start(HealthComponent("kafka"))
    try:
        yield consumer
    finally:
        await broker.stop()


async def idle(consumer) -> bool:
    """Whether everything assigned is handled; in a rebalance nobody can tell."""
    try:
        progress = await consumer.progress()
    except (TimeoutError, KafkaError):
        return False
    return bool(progress) and all(partition.caught_up for partition in progress.values())


async def test_foreign_headers_cost_no_record(scene: Scene) -> None:
    await scene.topic("t")
    foreign = [("x", b"\xff\xfe"), ("x", b"again"), ("content-type", b"\x80"), ("correlation_id", None)]
    await scene.append("t", [b"0", None, b"not json"], key=b"\xff", headers=foreign)
    got: list[InRecord] = []

    async def handler(records) -> None:
        got.extend(records)

    async with consuming(scene, handler):
        await eventually(lambda: asyncio.sleep(0, len(got) == 3))

    assert [record.value for record in got] == [b"0", None, b"not json"]
    assert {(record.topic, record.key, record.headers) for record in got} == {("t", b"\xff", tuple(foreign))}


async def test_a_failed_batch_comes_again_in_order_and_nothing_is_skipped(scene: Scene) -> None:
    await scene.topic("t", partitions=2)
    for partition in (0, 1):
        await scene.append("t", [b"%d" % n for n in range(20)], partition=partition)
    done: list[tuple[int, int]] = []
    failed: list[list[tuple[int, int]]] = []

    async def handler(records) -> None:
        places = [(record.partition, record.offset) for record in records]
        if len(failed) < 3 and len(done) >= 4:
            failed.append(places)
            raise ValueError("not now")
        done.extend(places)

    async with consuming(scene, handler, max_records=4):
        await eventually(lambda: asyncio.sleep(0, len(done) >= 40))

    assert len(failed) == 3
    for partition in (0, 1):
        assert [offset for part, offset in done if part == partition] == list(range(20))
        assert await scene.committed("t", "g", partition) == 20


async def test_committed_is_what_was_handled_and_not_what_was_fetched(scene: Scene) -> None:
    await scene.topic("t")
    await scene.append("t", [b"%d" % n for n in range(10)])
    entered = asyncio.Event()
    handled: list[int] = []

    async def handler(records) -> None:
        if handled:
            entered.set()
            await asyncio.Event().wait()
        handled.extend(record.offset for record in records)

    async def first_committed() -> bool:
        return bool(await scene.committed("t", "g"))

    async with consuming(scene, handler, stop_within=SOON, max_records=4) as consumer:
        await asyncio.wait_for(entered.wait(), 40)
        progress = await consumer.progress()
        await eventually(first_committed, every=0.1)

    assert await scene.committed("t", "g") == len(handled) == progress[0].position
    assert progress[0].end == 10
    assert not progress[0].caught_up


async def test_progress_reaches_the_end_also_behind_transaction_markers(scene: Scene) -> None:
    await scene.topic("t")
    await scene.transaction("t", [b"kept"], commit=True)
    await scene.transaction("t", [b"aborted"], commit=False)
    got: list[bytes | None] = []

    async def handler(records) -> None:
        got.extend(record.value for record in records)

    async with consuming(scene, handler) as consumer:
        await eventually(lambda: idle(consumer))

    assert got == [b"kept"]


async def test_a_second_instance_takes_over_without_a_loss(scene: Scene) -> None:
    await scene.topic("t", partitions=2)
    done: list[tuple[str, int, int]] = []

    def noting(name: str):
        async def handler(records) -> None:
            await asyncio.sleep(0.01)
            done.extend((name, record.partition, record.offset) for record in records)

        return handler

    async def fed_until_both_have_handled_some() -> bool:
        for partition in (0, 1):
            await scene.append("t", [b"x"] * 10, partition=partition)
        return {name for name, _, _ in done} == {"first", "second"}

    async with (
        consuming(scene, noting("first"), max_records=2),
        consuming(scene, noting("second"), max_records=2) as last,
    ):
        await eventually(fed_until_both_have_handled_some)
        await eventually(lambda: idle(last))

    places = [place for _, *place in done]
    for partition in (0, 1):
        offsets = [offset for part, offset in places if part == partition]
        distinct = sorted(set(offsets))
        assert distinct == list(range(len(distinct)))
        assert await scene.committed("t", "g", partition) == len(distinct)


@asynccontextmanager
async def consumer_process(scene: Scene, notes: Path, mode: str):
    process = await asyncio.create_subprocess_exec(
        sys.executable, killed_consumer.__file__, scene.bootstrap, scene.prefix, str(notes), mode
    )
    try:
        yield process
    finally:
        process.kill()
        await process.wait()


async def test_a_kill_between_the_effect_and_the_commit_brings_the_records_again(scene: Scene, tmp_path: Path) -> None:
    await scene.topic("t")
    await scene.append("t", [b"a", b"b", b"c"])
    notes = tmp_path / "notes"
    expected = ["0 a", "1 b", "2 c"]

    async def noted() -> list[str]:
        return notes.read_text().splitlines() if notes.exists() else []

    async with consumer_process(scene, notes, "hold"):
        await eventually(noted)
    first = await noted()
    assert first == expected[: len(first)]
    assert await scene.committed("t", "g") is None

    async def committed() -> bool:
        return await scene.committed("t", "g") == 3

    async with consumer_process(scene, notes, "go"):
        await eventually(committed, within=60, every=0.5)

    assert await noted() == first + expected
