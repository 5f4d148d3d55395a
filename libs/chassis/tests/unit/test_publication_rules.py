from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from fareline_chassis.publication.rules import LastRecords, RepublishPace

appended = st.lists(st.tuples(st.sampled_from([b"a", b"b", b"c"]), st.integers(0, 4), st.booleans()))


@given(appended)
def test_stale_is_exactly_what_compaction_would_keep_wrongly(log) -> None:
    known = LastRecords()
    for key, revision, tombstone in log:
        known.observe(key, revision, tombstone=tombstone)

    last = {key: revision for key, revision, _ in log}
    highest = {key: max(rev for k, rev, _ in log if k == key) for key in last}
    assert known.take_stale() == sorted(key for key in last if last[key] < highest[key])
    assert known.take_stale() == []


def test_keys_that_could_not_be_seen_to_come_back() -> None:
    known = LastRecords()
    known.observe(b"a", 2, tombstone=False)
    assert known.observe(b"a", 1, tombstone=False)

    known.give_back(known.take_stale())

    assert known.take_stale() == [b"a"]


def test_a_late_record_after_the_tombstone_is_stale() -> None:
    known = LastRecords()
    known.observe(b"a", 2, tombstone=True)

    assert known.observe(b"a", 1, tombstone=False)


def test_a_round_goes_page_by_page_at_its_pace_and_then_rests() -> None:
    pace = RepublishPace(every=timedelta(hours=1), per_second=2, next_round_at=100.0)

    assert pace.page_size(99.9, 500) == 0
    assert pace.page_size(100.0, 500) == 2
    pace.sent(100.0, asked=2, keys=[b"a", b"b"])
    assert (pace.after, pace.page_size(100.9, 500), pace.page_size(101.0, 500)) == (b"b", 0, 2)
    pace.sent(101.0, asked=2, keys=[b"c"])
    assert (pace.after, pace.page_size(102.0, 500), pace.page_size(3701.0, 500)) == (None, 0, 2)
