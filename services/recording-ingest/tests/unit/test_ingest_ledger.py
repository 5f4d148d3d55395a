"""The ledger: expected → ready → stored, or missing with a reason; repeatable, and `stored` is final."""

from dataclasses import replace
from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st
from ingest_story import START, answered_call, ended, events, ready, routed

from recording_ingest.domain.events import CallEvent, Ready
from recording_ingest.domain.projection import fold, of_kind
from recording_ingest.domain.recordings import (
    Audio,
    Reason,
    Recording,
    State,
    Waits,
    contradicts,
    failed,
    found_beside,
    name_beside,
    never_announced,
    object_key,
    reconcile,
    stored,
)

AUDIO = Audio(51.0, "PCM_16", "WAV", 1, 8000, (-20.0,), (0.1,), ((1, 2),))
WAITS = Waits(after_ready=timedelta(seconds=15), retention=timedelta(days=3))


def apply(ledger: dict[str, Recording], story: list[CallEvent]) -> dict[str, Recording]:
    changes = reconcile(fold(story), of_kind(story, Ready), list(ledger.values()), WAITS)
    return {**ledger, **{entry.recording_id: entry for entry in changes}}


def one(ledger: dict[str, Recording]) -> Recording:
    (entry,) = ledger.values()
    return entry


def test_an_answered_call_owes_a_recording_and_its_announcement_takes_the_row_over() -> None:
    expected = apply({}, events([routed(), ended(60)]))
    assert one(expected).state is State.EXPECTED
    named = apply(expected, events(answered_call()))
    assert (one(named).state, one(named).source_id) == (State.READY, "rec-1")
    assert one(named).recording_id == one(expected).recording_id
    assert one(named).next_attempt_at == START + timedelta(seconds=65.02 + 15)
    assert one(named).expires_at == START + timedelta(seconds=65, days=3)


def test_a_url_may_be_fetched_at_once() -> None:
    named = apply({}, events([ready(url="https://pbx.example/a.wav")]))
    assert one(named).next_attempt_at == START + timedelta(seconds=65.02)


def test_two_files_of_a_call_are_two_recordings() -> None:
    story = events([*answered_call(), ready(66, source_id="rec-2", part=2)])
    ledger = apply(apply({}, story[:-1]), story)
    assert sorted((entry.source_id, entry.part) for entry in ledger.values()) == [("rec-1", 1), ("rec-2", 2)]


@given(st.permutations(range(6)), st.integers(0, 6))
def test_whatever_the_order_each_announced_file_has_one_row_and_repetition_adds_none(
    order: list[int], split: int
) -> None:
    story = events([*answered_call(), ready(66, source_id="rec-2", part=2)])
    arrived = [story[index] for index in order]
    ledger = apply({}, arrived[: split + 1])
    ledger = apply(ledger, arrived)
    assert sorted(entry.source_id or "" for entry in ledger.values()) == ["rec-1", "rec-2"]
    assert reconcile(fold(arrived), of_kind(arrived, Ready), list(ledger.values()), WAITS) == []


def entry_ready() -> Recording:
    return replace(one(apply({}, events(answered_call()))), attempts=1, expires_at=None)


def test_stored_is_final() -> None:
    done = stored(entry_ready(), key="k", sha256="aa", size_bytes=3, audio=AUDIO, now=START)
    assert done.state is State.STORED
    assert stored(done, key="other", sha256="bb", size_bytes=4, audio=AUDIO, now=START) == done
    later = START + timedelta(minutes=1)
    assert failed(done, reason=Reason.NOT_FOUND, detail="", final=True, attempts_allowed=1, again_at=later) == done
    assert never_announced(done) == done


def test_a_failure_is_tried_again_until_attempts_or_the_pbx_run_out() -> None:
    later = START + timedelta(minutes=1)
    entry = entry_ready()
    again = failed(entry, reason=Reason.NOT_FOUND, detail="404", final=False, attempts_allowed=2, again_at=later)
    assert (again.state, again.next_attempt_at, again.reason) == (State.READY, later, Reason.NOT_FOUND)
    last = failed(
        replace(entry, failures=1),
        reason=Reason.NOT_FOUND,
        detail="404",
        final=False,
        attempts_allowed=2,
        again_at=later,
    )
    assert (last.state, last.next_attempt_at) == (State.MISSING, None)
    gone = replace(entry, expires_at=later)
    over = failed(gone, reason=Reason.SOURCE_FAILED, detail="", final=False, attempts_allowed=9, again_at=later)
    assert over.state is State.MISSING


def test_what_was_never_announced_is_missing_until_it_is() -> None:
    given_up = never_announced(one(apply({}, events([routed(), ended(60)]))))
    assert (given_up.state, given_up.reason) == (State.MISSING, Reason.NEVER_ANNOUNCED)
    revived = apply({given_up.recording_id: given_up}, events(answered_call()))
    assert (one(revived).state, one(revived).reason) == (State.READY, None)


def test_keys_hold_nothing_from_outside_but_the_tenant() -> None:
    key = object_key(replace(entry_ready(), source_id="../../etc/passwd"))
    assert key.startswith("audio/demo/")
    assert ".." not in key


ASKED = replace(WAITS, after_end=timedelta(seconds=40))


def asked_for() -> Recording:
    (entry,) = reconcile(fold(events([routed(), ended(60)])), [], (), ASKED)
    return replace(entry, attempts=1)


def test_a_pbx_that_can_be_asked_is_asked_soon_after_the_end() -> None:
    entry = asked_for()
    assert (entry.state, entry.next_attempt_at) == (State.EXPECTED, START + timedelta(seconds=100))
    assert entry.announce_by == START + timedelta(seconds=60, hours=6)
    assert entry.expires_at == START + timedelta(seconds=60, days=3)


def after_question(entry: Recording, reason: Reason, again_at: timedelta) -> Recording:
    return failed(entry, reason=reason, detail="", final=False, attempts_allowed=1, again_at=START + again_at)


def test_what_is_due_is_asked_for_until_it_cannot_be_announced_any_more() -> None:
    entry = replace(asked_for(), failures=50)
    again = after_question(entry, Reason.NOT_FOUND, timedelta(minutes=3))
    assert (again.state, again.next_attempt_at) == (State.EXPECTED, START + timedelta(minutes=3))
    over = after_question(entry, Reason.NOT_FOUND, timedelta(hours=7))
    assert (over.state, over.reason, over.next_attempt_at) == (State.MISSING, Reason.NEVER_ANNOUNCED, None)
    down = after_question(entry, Reason.SOURCE_FAILED, timedelta(hours=7))
    assert (down.state, down.reason) == (State.MISSING, Reason.SOURCE_FAILED)


def test_what_the_pbx_has_deleted_meanwhile_has_expired() -> None:
    gone = replace(entry_ready(), expires_at=START)
    assert after_question(gone, Reason.NOT_FOUND, timedelta(0)).reason is Reason.EXPIRED
    assert after_question(gone, Reason.SOURCE_FAILED, timedelta(0)).reason is Reason.SOURCE_FAILED


def test_an_estimate_ends_no_attempts_but_explains_a_file_that_is_not_there() -> None:
    crowded = replace(entry_ready(), pushed_out_at=START)
    again = after_question(crowded, Reason.SOURCE_FAILED, timedelta(0))
    assert (again.state, again.reason) == (State.MISSING, Reason.SOURCE_FAILED)
    tried = failed(crowded, reason=Reason.NOT_FOUND, detail="", final=False, attempts_allowed=9, again_at=START)
    assert (tried.state, tried.reason) == (State.READY, Reason.NOT_FOUND)
    assert after_question(crowded, Reason.NOT_FOUND, timedelta(0)).reason is Reason.EXPIRED
    assert after_question(entry_ready(), Reason.NOT_FOUND, timedelta(0)).reason is Reason.NOT_FOUND


def test_a_recording_was_made_when_its_pbx_says_so_and_else_at_the_end_of_the_call() -> None:
    assert asked_for().made_at == START + timedelta(seconds=60)
    assert one(apply({}, events(answered_call()))).made_at == START + timedelta(seconds=65)


def test_a_file_found_beside_another_is_known_when_it_is_announced() -> None:
    other = found_beside(asked_for(), "rec-2", part=2, now=START)
    assert (other.state, other.part, name_beside(other), other.attempts) == (State.READY, 2, "rec-2", 0)
    ledger = {entry.recording_id: entry for entry in (asked_for(), other)}
    later = apply(ledger, events([routed(), ended(60), ready(66, source_id="rec-2", part=2), ready(65)]))
    assert sorted((entry.source_id or "", entry.state) for entry in later.values()) == [
        ("beside:rec-2", State.READY), ("rec-1", State.READY),
    ]  # fmt: skip


def test_a_tenant_learned_later_reaches_the_ledger_even_of_stored_audio() -> None:
    nameless = replace(entry_ready(), tenant=None, state=State.STORED)
    (entry,) = reconcile(fold(events(answered_call())), of_kind(events(answered_call()), Ready), [nameless], WAITS)
    assert (entry.tenant, entry.state) == ("demo", State.STORED)


def test_a_length_that_cannot_be_the_calls_is_flagged() -> None:
    row = fold(events(answered_call()))
    assert (row.talk_s, row.total_s) == (51.0, 60.0)

    def flagged(seconds: float, parts: int = 1) -> bool | None:
        entry = replace(entry_ready(), audio=replace(AUDIO, duration_s=seconds))
        return contradicts(entry, row, parts=parts)

    assert [flagged(seconds) for seconds in (30.0, 45.0, 51.0, 62.0, 70.0)] == [True, True, False, False, True]
    assert flagged(30.0, parts=2) is False
    assert contradicts(entry_ready(), row, parts=1) is None
    assert contradicts(replace(entry_ready(), audio=AUDIO), fold(events([routed()])), parts=1) is None
