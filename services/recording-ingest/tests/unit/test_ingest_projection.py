"""A row is the fold of its events, in any order and number."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from ingest_story import START, answered_call, at, dial, ended, events, progress, ready, routed

from recording_ingest.domain.events import CallEvent, UnknownEvent, event_from
from recording_ingest.domain.projection import fold, ordered
from recording_ingest.domain.storyboard import attempts, legs, timeline

STORIES = {
    "answered": answered_call(),
    "code": [
        routed(0, order_id=None, reason="unknown_caller", actions=[{"do": "ask", "prompt": "greeting", "digits": 6}]),
        routed(6, step=2, reason="extension_unknown_caller", question="call.digits"),
        ended(50),
    ],
    "unanswered": [
        routed(0),
        routed(31, step=2, question="call.dialed", dial_result="no_answer", reason="unanswered",
               actions=[{"do": "play", "prompt": "client_unavailable"}, {"do": "hangup"}]),
        ended(35, disposition="no_answer", ringing_at=at(3), ended_at=at(31)),
    ],
    "end alone": [ended(60, recorded=True), ready()],
}  # fmt: skip


@given(st.data())
def test_any_order_and_any_number_of_arrivals_give_the_same_row(data: st.DataObject) -> None:
    story = events(STORIES[data.draw(st.sampled_from(sorted(STORIES)))])
    arrivals = data.draw(st.lists(st.sampled_from(story), max_size=12).map(lambda extra: story + extra))
    shuffled = data.draw(st.permutations(arrivals))
    assert fold(shuffled) == fold(story)
    assert timeline(ordered(shuffled)) == timeline(ordered(story))


@given(st.permutations(answered_call()))
def test_every_prefix_folds_and_only_the_whole_is_complete(told: list[tuple[str, str, dict[str, object]]]) -> None:
    rows = [fold(events(told[: n + 1])) for n in range(len(told))]
    seen = [{kind for kind, _, _ in told[: n + 1]} for n in range(len(told))]
    assert [row.row_state == "complete" for row in rows] == [{"call.routed", "call.ended"} <= kinds for kinds in seen]


def test_one_ce_id_with_two_contents_counts_once_whichever_comes_first() -> None:
    one = events([routed(0, reason="pair")])[0]
    other = events([routed(1, reason="unknown_caller")])[0]
    assert fold([one, other]) == fold([other, one]) == fold([one])


def test_an_answered_call() -> None:
    row = fold(events(answered_call()))
    assert (row.ring_s, row.talk_s, row.total_s) == (7.0, 51.0, 60.0)
    assert (row.order_id, row.reason, row.direction, row.binding_revision) == ("o-1001", "pair", "driver_to_client", 7)
    assert (row.row_state, row.disposition, row.hangup_by, row.line) == ("complete", "answered", "caller", "201")
    assert row.recording_due
    assert row.started_at == START


def test_the_dial_decides_the_row_and_the_last_answer_is_kept_beside_it() -> None:
    row = fold(events(STORIES["unanswered"]))
    assert (row.reason, row.last_reason, row.deed, row.dials, row.steps) == ("pair", "unanswered", "dial", 1, 2)
    assert (row.talk_s, row.ring_s, row.recording_due) == (None, 28.0, False)
    assert [attempt.result for attempt in attempts(ordered(events(STORIES["unanswered"])))] == ["no_answer"]


def test_a_code_makes_the_second_decision_the_row() -> None:
    row = fold(events(STORIES["code"]))
    assert (row.reason, row.order_id, row.steps) == ("extension_unknown_caller", "o-1001", 2)


@pytest.mark.parametrize(
    ("told", "due"),
    [
        ([routed(), ended(60)], True),
        ([routed(actions=[dial(record="off")]), ended(60)], False),
        ([routed(actions=[dial(record="off")]), ended(60, recorded=True)], True),
        ([routed(), ended(60, recorded=False)], False),
        ([routed(), ended(60, disposition="busy")], False),
        ([routed()], False),
    ],
)
def test_when_a_recording_is_due(told: list[tuple[str, str, dict[str, object]]], due: bool) -> None:
    assert fold(events(told)).recording_due is due


def test_a_pbx_that_tells_no_bridge_talks_from_the_answer() -> None:
    row = fold(events([routed(), progress(2, "ringing"), progress(5, "answered"), ended(65)]))
    assert (row.ring_s, row.talk_s) == (3.0, 60.0)


def test_legs_and_timeline() -> None:
    story = ordered(events(answered_call()))
    assert [(leg.name, leg.bridged_at is not None) for leg in legs(story)] == [("201", True)]
    assert [moment.what for moment in timeline(story)] == [
        "call.started", "call.progress ringing", "call.progress bridged", "call.ended", "recording.ready",
    ]  # fmt: skip
    assert not any("+7" in moment.detail for moment in timeline(story))


def test_an_unknown_kind_is_named() -> None:
    _, ce_id, data = routed()
    with pytest.raises(UnknownEvent, match=r"call\.hummed"):
        event_from("call.hummed", ce_id, data)


def test_a_call_needs_an_event() -> None:
    nothing: list[CallEvent] = []
    with pytest.raises(ValueError, match="without events"):
        fold(nothing)
