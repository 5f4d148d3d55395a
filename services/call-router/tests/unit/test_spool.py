import asyncio
import json
import os
import resource
import subprocess
import sys
from pathlib import Path

import pytest
import spool_victim
from hypothesis import given
from hypothesis import strategies as st
from spool_victim import event

from call_router.ports import JournalRefused
from call_router.records.events import CallEvents
from call_router.spool.lines import LineBroken, from_line, to_line
from call_router.spool.segments import SpoolTaken
from call_router.spool.spool import Spool
from call_router.spool.writer import SpoolWriter


class Kafka:
    """Takes events, or is away."""

    def __init__(self) -> None:
        self.events = []
        self.away = False

    async def send(self, records) -> None:
        if self.away:
            raise ConnectionError
        self.events += records

    @property
    def numbers(self) -> list[int]:
        return [int(dict(record.headers)["ce_id"]) for record in self.events]


@pytest.fixture
def kafka() -> Kafka:
    return Kafka()


@pytest.fixture
def open_spool(tmp_path, kafka):
    opened = []

    def open_one(limit_bytes: int = 10**9) -> Spool:
        spool = Spool(tmp_path / "spool", events=CallEvents("/test"), limit_bytes=limit_bytes, send=kafka.send)
        opened.append(spool)
        return spool

    yield open_one
    for spool in opened:
        try:
            spool.close()
        except OSError:
            pass


def fill(spool: Spool, numbers) -> None:
    for number in numbers:
        spool.writer.append(to_line(event(number)))


async def drain(spool: Spool) -> None:
    while await spool.drain.drain_once():
        pass


def files(folder: Path) -> list[Path]:
    return sorted((folder / "spool").glob("*.spool"))


@given(st.text(), st.text(), st.lists(st.tuples(st.text(), st.text()), max_size=5))
def test_a_line_holds_any_record(key, value, headers):
    record = spool_victim.EventRecord(
        "t",
        key.encode("utf-8", "replace"),
        json.dumps(value).encode(),
        tuple((n, v.encode()) for n, v in headers),
    )
    line = to_line(record)
    assert line.count(b"\n") == 1
    assert from_line(line) == record


@given(st.integers(0, 250), st.binary(min_size=1, max_size=3))
def test_a_changed_line_is_noticed(place, other):
    line = to_line(event(1))
    changed = line[:place] + other + line[place + len(other) :]
    if changed != line:
        with pytest.raises(LineBroken):
            from_line(changed[: changed.find(b"\n") + 1] or changed)


async def test_events_arrive_once_each_in_order(open_spool, kafka):
    spool = open_spool()
    fill(spool, range(5000))
    await drain(spool)
    fill(spool, range(5000, 5010))
    await drain(spool)
    assert kafka.numbers == list(range(5010))
    assert spool.writer.waiting_bytes == 0


async def test_a_new_process_goes_on_where_the_last_one_was(open_spool, kafka, tmp_path):
    first = open_spool()
    fill(first, range(10))
    await drain(first)
    fill(first, range(10, 20))
    first.close()
    second = open_spool()
    fill(second, range(20, 30))
    await drain(second)
    assert kafka.numbers == list(range(30))
    assert len(files(tmp_path)) == 1


async def test_kafka_away_keeps_everything(open_spool, kafka):
    spool = open_spool()
    fill(spool, range(10))
    kafka.away = True
    with pytest.raises(ConnectionError):
        await drain(spool)
    kafka.away = False
    await drain(spool)
    assert kafka.numbers == list(range(10))


async def test_background_drain_wakes_for_each_event(open_spool, kafka):
    spool = open_spool()
    task = asyncio.create_task(spool.drain.run())
    async with asyncio.timeout(30):
        for number in range(3):
            fill(spool, [number])
            while len(kafka.events) <= number:
                await asyncio.sleep(0.001)
    task.cancel()


async def test_segments_follow_each_other_and_go_when_drained(open_spool, kafka, tmp_path, monkeypatch):
    small = SpoolWriter.__init__.__kwdefaults__ | {"segment_bytes": 1000}
    monkeypatch.setattr(SpoolWriter.__init__, "__kwdefaults__", small)
    spool = open_spool()
    fill(spool, range(50))
    assert len(files(tmp_path)) > 5
    await drain(spool)
    assert kafka.numbers == list(range(50))
    assert len(files(tmp_path)) == 1


@pytest.mark.parametrize("cut", [1, 5, 100, 250])
async def test_half_a_line_is_cut_off(open_spool, kafka, tmp_path, cut):
    first = open_spool()
    fill(first, range(3))
    first.close()
    newest = files(tmp_path)[-1]
    os.truncate(newest, newest.stat().st_size - cut)
    second = open_spool()
    assert second.writer.repaired_bytes > 0
    fill(second, [3])
    await drain(second)
    assert kafka.numbers == [0, 1, 3]


async def test_a_damaged_line_costs_itself_only(open_spool, kafka, tmp_path):
    first = open_spool()
    fill(first, range(3))
    first.close()
    damaged = files(tmp_path)[-1]
    content = bytearray(damaged.read_bytes())
    content[content.index(b"\n") + 50] ^= 1
    damaged.write_bytes(content)
    second = open_spool()
    await drain(second)
    assert kafka.numbers == [0, 2]
    assert second.drain.broken_lines == 1


async def test_full_spool_refuses_until_it_is_drained(open_spool):
    spool = open_spool(limit_bytes=1000)
    with pytest.raises(JournalRefused):
        fill(spool, range(10))
    await drain(spool)
    fill(spool, [10])


async def test_full_disk_leaves_no_half_line(open_spool, kafka):
    spool = open_spool()
    fill(spool, range(2))
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (spool.writer.end.offset + 100, hard))
    try:
        with pytest.raises(JournalRefused):
            fill(spool, [2])
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    fill(spool, [3])
    await drain(spool)
    assert kafka.numbers == [0, 1, 3]


def test_one_process_at_a_time(open_spool):
    open_spool()
    with pytest.raises(SpoolTaken):
        open_spool()


async def test_nothing_written_is_lost_to_sigkill(open_spool, kafka, tmp_path):
    with subprocess.Popen(
        [sys.executable, spool_victim.__file__, str(tmp_path / "spool")], stdout=subprocess.PIPE, text=True
    ) as victim:
        written = [int(victim.stdout.readline()) for _ in range(500)]
        victim.kill()
        written += [int(line) for line in victim.stdout.read().split("\n") if line]
    await drain(open_spool())
    assert kafka.numbers[: len(written)] == written
    assert kafka.numbers == list(range(len(kafka.numbers)))
    assert len(kafka.numbers) - len(written) in (0, 1)


async def test_synced_behind_the_answers(open_spool):
    spool = open_spool()
    task = asyncio.create_task(spool.writer.keep_syncing())
    fill(spool, range(3))
    async with asyncio.timeout(30):
        while spool.writer._dirty:
            await asyncio.sleep(0.01)
    task.cancel()
