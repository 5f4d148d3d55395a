from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from fareline_chassis.publication.rules import LastRecords, RepublishPace, fair_share

appended = st.lists(st.tuples(st.sampled_from([b"a", b"b", b"c"]), st.integers(0, 4), st.booleans()))


@given(appended)
def test_stale_is_exactly_what_compaction_would_keep_wrongly(log) -> None:
    known = LastRecords()
    for key, revision, tombstone in log:
        known.observe(key, revision, tombstone=tombstone)

    last = {key: revision for key, revision, _ in log}
    highest = {key: max(rev for k, rev, _ in log if k == key) for key in last}
    assert known.take_stale(1000) == sorted(key for key in last if last[key] < highest[key])
    assert known.take_stale(1000) == []


def test_keys_that_could_not_be_seen_to_come_back() -> None:
    known = LastRecords()
    known.observe(b"a", 2, tombstone=False)
    assert known.observe(b"a", 1, tombstone=False)

    known.give_back(known.take_stale(1000))

    assert known.take_stale(1000) == [b"a"]


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


@given(st.integers(1, 24), st.integers(1, 30), st.dictionaries(st.integers(0, 23), st.sampled_from("abc")))
def test_nobody_takes_what_another_has_or_more_than_a_share(partitions, holders, held) -> None:
    held = {part: who for part, who in held.items() if part < partitions}
    share = fair_share(range(partitions), held, "a", holders=holders)

    assert all(held.get(part, "a") == "a" for part in share.wanted)
    assert len(share.wanted) <= -(-partitions // holders)
    mine = {part for part, who in held.items() if who == "a"}
    assert mine == (mine & set(share.wanted)) | set(share.given_up)
    assert not share.given_up or len(share.wanted) == -(-partitions // holders)


@given(st.integers(1, 24), st.lists(st.text("abcdef", min_size=1), min_size=1, max_size=8, unique=True))
def test_in_two_rounds_everything_is_held_and_shared_out(partitions, holders) -> None:
    held = dict.fromkeys(range(partitions), holders[0])
    for holder in holders * 2:
        share = fair_share(range(partitions), held, holder, holders=len(holders))
        held = {part: who for part, who in held.items() if who != holder} | dict.fromkeys(share.wanted, holder)

    assert set(held) == set(range(partitions))
    assert max(list(held.values()).count(holder) for holder in holders) <= -(-partitions // len(holders))
