"""The spool on a disk that is full, slow, or refuses now and then."""

import asyncio
import shutil
import subprocess
import threading

import pytest
from router_use import Desk
from router_world import D1, POOL
from spool_victim import event

from call_router.domain.calls import QuestionKind
from call_router.domain.reports import Progress
from call_router.ports import CallMemory, JournalRefused
from call_router.records.events import CallEvents
from call_router.spool.journal import SpoolJournal
from call_router.spool.lines import to_line
from call_router.spool.spool import Spool
from call_router.spool.writer import SpoolWriter
from fareline_chassis.health import HealthComponent

FULL = OSError(28, "No space left on device")


class Kafka:
    def __init__(self) -> None:
        self.numbers = []

    async def send(self, records) -> None:
        self.numbers += [int(dict(record.headers)["ce_id"]) for record in records]


def opened(path, kafka, limit_bytes=10**9):
    return Spool(path, events=CallEvents("/test"), limit_bytes=limit_bytes, send=kafka.send)


@pytest.fixture
def kafka():
    return Kafka()


@pytest.fixture
def spool(tmp_path, kafka, monkeypatch):
    small = SpoolWriter.__init__.__kwdefaults__ | {"segment_bytes": 1000}
    monkeypatch.setattr(SpoolWriter.__init__, "__kwdefaults__", small)
    spool = opened(tmp_path / "spool", kafka)
    yield spool
    spool.close()


def fill(spool, numbers):
    for number in numbers:
        spool.writer.append(to_line(event(number)))


async def drain(spool):
    while await spool.drain.drain_once():
        pass


async def test_no_room_for_a_new_segment_costs_nothing_that_was_written(spool, kafka, monkeypatch):
    fill(spool, range(4))
    before = spool.writer.end
    monkeypatch.setattr(spool.writer, "_open", lambda segment: (_ for _ in ()).throw(FULL))
    for _ in range(3):
        with pytest.raises(JournalRefused):
            fill(spool, [99])
    assert spool.writer.end == before
    assert spool.writer.refused == 3
    monkeypatch.undo()
    fill(spool, range(4, 8))
    await drain(spool)
    assert kafka.numbers == list(range(8))


async def test_a_position_that_cannot_be_kept_does_not_stop_the_drain(spool, kafka, monkeypatch, tmp_path):
    def refuse(position):
        raise FULL

    monkeypatch.setattr(spool._folder, "save_position", refuse)
    fill(spool, range(20))
    await drain(spool)
    assert kafka.numbers == list(range(20))
    assert spool._reader.unsaved > 0
    assert len(list((tmp_path / "spool").glob("*.spool"))) == 1, "room is made all the same"


async def test_a_real_disk_that_fills_up(tmp_path, kafka):
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = shutil.which("mount")
    options = ["-t", "tmpfs", "-o", "size=64k", "tmpfs", str(disk)]
    if mount is None or subprocess.run([mount, *options], capture_output=True, check=False).returncode:
        pytest.skip("this user may not mount a small disk")
    try:
        spool = opened(disk / "spool", kafka)
        with pytest.raises(JournalRefused):
            fill(spool, range(10_000))
        await drain(spool)
        assert len(kafka.numbers) > 100
        assert kafka.numbers == list(range(len(kafka.numbers)))
        assert spool.writer.waiting_bytes == 0
        spool.close()
    finally:
        subprocess.run([shutil.which("umount") or "umount", str(disk)], check=True)


class BlockedWriter:
    """A writer on a disk that hangs until it is let go."""

    slow = True

    def __init__(self) -> None:
        self.let_go = threading.Event()
        self.lines = []

    def append(self, line):
        self.let_go.wait(10)
        self.lines.append(line)


async def test_nobody_waits_long_for_a_disk_that_hangs_and_no_line_is_lost():
    writer = BlockedWriter()
    journal = SpoolJournal(writer, CallEvents("/test"))
    desk = Desk()
    answered = await desk.answer(desk.world.question(QuestionKind.STARTED, D1, POOL), desk.pbx)
    report = Progress("c-1", desk.world.now, "bridged")
    asked = [
        asyncio.create_task(journal.answered(answered, account="a", trace=None)),
        asyncio.create_task(
            journal.reported(report, CallMemory(answered.call_id), account="a", received_at=desk.world.now)
        ),
    ]
    async with asyncio.timeout(30):
        found = await asyncio.gather(*asked, return_exceptions=True)
    assert [type(error) for error in found] == [JournalRefused, JournalRefused]
    writer.slow = False
    journal._waits = 30.0  # the disk answers from here on, and a busy machine may be slower than a disk
    late = asyncio.create_task(journal.answered(answered, account="a", trace=None))
    await asyncio.sleep(0)
    writer.let_go.set()
    await late
    journal.close()
    written = [b"call.routed" in line for line in writer.lines]
    assert written == [True, False, True], "in order, behind those that came first"


async def test_a_disk_that_is_behind_counts_as_slow_until_it_has_caught_up(tmp_path, kafka, monkeypatch):
    now, synced = [0.0], threading.Event()
    spool = opened(tmp_path / "spool", kafka)
    monkeypatch.setattr(spool.writer, "_monotonic", lambda: now[0])
    monkeypatch.setattr(spool.writer, "sync", lambda: synced.wait(60))
    task = asyncio.create_task(spool.writer.keep_syncing())
    fill(spool, [0])
    async with asyncio.timeout(30):
        while spool.writer._syncing_since is None:
            await asyncio.sleep(0.005)
        assert not spool.writer.slow
        now[0] = 0.2
        assert spool.writer.slow
        synced.set()
        while spool.writer.slow:
            await asyncio.sleep(0.005)
    task.cancel()
    monkeypatch.undo()
    spool.close()


async def test_what_an_earlier_process_left_is_told_before_it_is_drained(spool, kafka):
    fill(spool, range(10))
    assert [int(dict(one.headers)["ce_id"]) for one in spool.waiting()] == list(range(10))
    await drain(spool)
    assert kafka.numbers == list(range(10))
    assert list(spool.waiting()) == []


async def test_health_says_how_full_it_is(tmp_path, kafka):
    spool = opened(tmp_path / "spool", kafka, limit_bytes=2000)
    component = HealthComponent("spool")
    task = asyncio.create_task(spool.watch(component))
    async with asyncio.timeout(30):
        while component.state != "ok":
            await asyncio.sleep(0.01)
        fill(spool, range(5))
        while component.state != "failed":
            await asyncio.sleep(0.01)
    assert "spool waits for Kafka" in component.detail
    assert spool.readings()["spool_fullness_ratio"][1]() > 0.5
    task.cancel()
    spool.close()
