from datetime import UTC, datetime, timedelta

import pytest
from fake_publication import MemoryRows, MemoryTopic

from fareline_chassis.kafka.producer import DeliveryRefused, DeliveryUnknown
from fareline_chassis.kafka.records import InRecord, OutRecord
from fareline_chassis.publication.keeper import Lease
from fareline_chassis.publication.publisher import Figures, PartitionPublisher
from fareline_chassis.publication.readback import ReadBack

START = datetime(2026, 11, 25, 12, tzinfo=UTC)


class Bench:
    """One publisher of partition 0 with everything around it in memory, and the time in hand."""

    def __init__(self) -> None:
        self.seconds = 1000.0
        self.epoch: int | None = 7
        self.rows = MemoryRows(lambda: START + timedelta(seconds=self.seconds))
        self.topic = MemoryTopic()
        self.woken: list[int] = []
        self.read_back = ReadBack(None, revision_of=revision_of, component=None, found=self.woken.append)
        self.publisher = PartitionPublisher(
            0,
            topic="t",
            source=self.rows,
            sender=self.topic,
            lease=self.lease,
            last_records=self.read_back.of(0),
            heartbeat=self.heartbeat,
            figures=Figures(page=3, republish_every=timedelta(hours=1), republish_per_second=2),
            monotonic=lambda: self.seconds,
        )

    def lease(self) -> Lease | None:
        return None if self.epoch is None else Lease(0, self.epoch, self.seconds + 2)

    async def heartbeat(self, partition: int, epoch: int, as_of: datetime) -> OutRecord:
        return OutRecord("t", b"_hb/0", f"{epoch} {as_of:%H:%M:%S}".encode(), partition=partition)

    def revision(self, key: bytes) -> int:
        """Return the revision of a row as it stands now."""
        return self.rows.rows[key][0]

    @property
    def beats(self) -> list[bytes | None]:
        return [record.value for record in self.topic.sent if record.key == b"_hb/0"]


def revision_of(record: InRecord) -> tuple[bytes, int] | None:
    revision = record.header("revision")
    return None if revision is None or record.key is None else (record.key, int(revision))


def seen(key: bytes, revision: bytes, offset: int) -> InRecord:
    return InRecord("t", 0, offset, 0, key, b"{}", (("revision", revision),))


@pytest.fixture
def bench() -> Bench:
    return Bench()


async def test_only_the_newest_state_is_sent_and_then_nothing(bench: Bench) -> None:
    bench.rows.put(b"a", 1)
    bench.rows.put(b"a", 2)
    await bench.publisher.step()
    await bench.publisher.step()

    assert bench.topic.revisions == [(b"a", 2)]
    assert bench.topic.sent[0].partition == 0


async def test_without_the_lease_nothing_is_sent(bench: Bench) -> None:
    bench.epoch = None
    bench.rows.put(b"a", 1)

    assert await bench.publisher.step() is False
    assert bench.topic.sent == []


async def test_an_unknown_delivery_is_followed_by_the_newest_state(bench: Bench) -> None:
    bench.topic.failures.append(DeliveryUnknown("no answer"))
    bench.rows.put(b"a", 1)
    with pytest.raises(DeliveryUnknown):
        await bench.publisher.step()
    bench.rows.put(b"a", 2)
    await bench.publisher.step()

    assert bench.topic.revisions == [(b"a", 1), (b"a", 2)]
    assert bench.rows.published == {b"a": 2}


async def test_what_kafka_refuses_stays_unpublished_and_its_neighbours_do_not(bench: Bench) -> None:
    bench.topic.failures.append(DeliveryRefused([(0, "MessageSizeTooLargeError")]))
    bench.rows.put(b"a", 1)
    bench.rows.put(b"b", 1)
    with pytest.raises(DeliveryRefused):
        await bench.publisher.step()

    assert bench.rows.published == {b"b": 1}
    assert bench.beats == []


async def test_a_heartbeat_says_a_time_before_the_last_look(bench: Bench) -> None:
    await bench.publisher.step()
    bench.seconds += 0.5
    await bench.publisher.step()
    bench.seconds += 0.5
    await bench.publisher.step()

    assert bench.beats == [b"7 12:16:40", b"7 12:16:41"]


async def test_no_heartbeat_while_a_page_was_full(bench: Bench) -> None:
    for key in (b"a", b"b", b"c", b"d"):
        bench.rows.put(key, 1)

    assert await bench.publisher.step() is True
    assert bench.beats == []
    assert await bench.publisher.step() is False
    assert [record.key for record in bench.topic.sent] == [b"a", b"b", b"c", b"d", b"_hb/0"]


async def test_behind_a_backlog_the_last_heartbeat_is_repeated_and_promises_nothing_newer(bench: Bench) -> None:
    await bench.publisher.step()
    for second in range(1, 4):
        bench.seconds += 1
        for n in range(3):
            bench.rows.put(b"%d-%d" % (second, n), 1)
        assert await bench.publisher.step() is True
    bench.epoch = 8
    bench.seconds += 1
    for n in range(3):
        bench.rows.put(b"late-%d" % n, 1)
    assert await bench.publisher.step() is True
    await bench.publisher.step()

    assert bench.beats == [b"7 12:16:40"] * 4 + [b"8 12:16:44"]


async def test_a_heartbeat_knows_nothing_of_what_came_after_the_rows_were_read(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    unpublished = bench.rows.unpublished

    async def slow(partition: int, limit: int):
        found = await unpublished(partition, limit)
        bench.seconds += 5
        return found

    monkeypatch.setattr(bench.rows, "unpublished", slow)
    await bench.publisher.step()
    assert bench.beats == [b"7 12:16:40"]


async def test_a_late_lower_revision_is_published_over(bench: Bench) -> None:
    bench.rows.put(b"a", 2)
    await bench.publisher.step()
    bench.read_back.take([seen(b"a", b"2", 0), seen(b"a", b"1", 1), seen(b"b", b"5", 2)])
    assert bench.woken == [0]
    await bench.publisher.step()

    assert bench.topic.revisions == [(b"a", 2), (b"a", bench.revision(b"a"))]


async def test_a_mark_that_comes_after_a_repair_does_not_undo_it(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another publisher sent revision 2 as well and froze before it marked it; it wakes right after the repair."""
    bench.rows.put(b"a", 2)
    await bench.publisher.step()
    bench.read_back.take([seen(b"a", b"2", 0), seen(b"a", b"1", 1)])
    repair = bench.rows.mark_dirty

    async def repair_and_wake(keys):
        left = await repair(keys)
        await bench.rows.mark([(b"a", 2)])
        return left

    monkeypatch.setattr(bench.rows, "mark_dirty", repair_and_wake)
    await bench.publisher.step()

    assert bench.topic.revisions == [(b"a", 2), (b"a", bench.revision(b"a"))]


async def test_a_topic_that_is_ahead_of_the_rows_is_overtaken_by_one_repair(bench: Bench) -> None:
    """As after a backup was restored, when the hourly republication sends what is older than the topic's."""
    bench.rows.put(b"a", 2)
    await bench.publisher.step()
    bench.read_back.take([seen(b"a", b"9", 0), seen(b"a", b"2", 1)])
    await bench.publisher.step()
    bench.read_back.take([seen(b"a", b"%d" % bench.topic.revisions[-1][1], 2)])

    assert bench.topic.revisions[1:] == [(b"a", bench.revision(b"a"))]
    assert bench.read_back.of(0).take_stale(10) == []


async def test_a_repair_that_fails_is_tried_again(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    bench.rows.put(b"a", 2)
    await bench.publisher.step()
    bench.read_back.take([seen(b"a", b"2", 0), seen(b"a", b"1", 1)])

    async def unreachable(keys):
        raise ConnectionError

    with monkeypatch.context() as patch:
        patch.setattr(bench.rows, "mark_dirty", unreachable)
        with pytest.raises(ConnectionError):
            await bench.publisher.step()
    await bench.publisher.step()

    assert bench.topic.revisions == [(b"a", 2), (b"a", bench.revision(b"a"))]


async def test_a_repair_of_a_locked_row_is_tried_again_and_its_neighbours_do_not_wait(bench: Bench) -> None:
    for key in (b"a", b"b"):
        bench.rows.put(key, 2)
    await bench.publisher.step()
    bench.read_back.take([seen(key, revision, 0) for key in (b"a", b"b") for revision in (b"2", b"1")])
    bench.topic.sent.clear()
    bench.rows.locked.add(b"a")
    await bench.publisher.step()
    assert bench.topic.revisions == [(b"b", bench.revision(b"b"))]
    bench.rows.locked.clear()
    await bench.publisher.step()
    await bench.publisher.step()

    assert bench.topic.revisions[1:] == [(b"a", bench.revision(b"a"))]


async def test_repairs_go_page_by_page_however_many_are_due(bench: Bench) -> None:
    keys = (b"a", b"b", b"c", b"d")
    for key in keys:
        bench.rows.put(key, 2)
    while await bench.publisher.step():
        pass
    bench.read_back.take([seen(key, revision, 0) for key in keys for revision in (b"2", b"1")])
    bench.topic.sent.clear()
    assert await bench.publisher.step() is True
    assert [key for key, _ in bench.topic.revisions] == [b"a", b"b", b"c"]
    await bench.publisher.step()
    assert bench.topic.revisions[3:] == [(b"d", bench.revision(b"d"))]


async def test_everything_live_is_sent_again_each_hour_at_its_pace(bench: Bench) -> None:
    for key in (b"a", b"b", b"c"):
        bench.rows.put(key, 1)
    while await bench.publisher.step():
        pass
    bench.topic.sent.clear()

    bench.seconds += 3600
    await bench.publisher.step()
    await bench.publisher.step()
    assert bench.topic.revisions == [(b"a", 1), (b"b", 1)]
    bench.seconds += 1
    await bench.publisher.step()
    bench.seconds += 1
    await bench.publisher.step()

    assert bench.topic.revisions == [(b"a", 1), (b"b", 1), (b"c", 1)]


async def test_a_record_that_nobody_understands_does_not_end_the_read_back(bench: Bench) -> None:
    bench.read_back.take([seen(b"a", b"nonsense", 0), seen(b"a", b"2", 1), seen(b"a", b"1", 2)])

    assert bench.read_back.of(0).take_stale(10) == [b"a"]


@pytest.mark.parametrize("revision", [b"-1", b"9223372036854775808"])
async def test_a_revision_out_of_range_is_left_alone_and_makes_nothing_stale(bench: Bench, revision: bytes) -> None:
    bench.read_back.take([seen(b"a", revision, 0), seen(b"a", b"2", 1)])

    assert bench.read_back.of(0).take_stale(10) == []
