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
    failed,
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
        replace(entry, attempts=2),
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
