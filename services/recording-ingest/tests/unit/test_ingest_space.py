"""When newer recordings push one out of a PBX that keeps a number of bytes: counted by hand."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from recording_ingest.domain.space import Held, Space, Waiting, estimates, lasts, pushed_out_at

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
DAY = timedelta(days=1)
# 1000 bytes; 150 known and one of about 50 came within the last day: it lasts five days.
SPACE = Space(1000, Held(150, 1), 50.0)


def test_a_space_lasts_as_many_days_as_fit() -> None:
    assert lasts(SPACE) == 5 * DAY
    assert lasts(Space(1000, Held(0, 0), 50.0)) is None
    assert lasts(Space(1000, Held(0, 3), None)) is None
    assert lasts(Space(10**18, Held(1, 0), 1.0)) == timedelta(days=365)


def test_it_is_pushed_out_when_what_is_left_is_filled() -> None:
    assert pushed_out_at(SPACE, Held(0, 1), NOW) == NOW + DAY * (950 / 200)
    assert pushed_out_at(SPACE, Held(400, 4), NOW) == NOW + 2 * DAY
    assert pushed_out_at(SPACE, Held(900, 2), NOW) == NOW
    assert pushed_out_at(SPACE, Held(5000, 0), NOW) == NOW


def test_where_nothing_comes_any_more_nothing_is_pushed_out() -> None:
    quiet = Space(1000, Held(0, 0), 50.0)
    assert pushed_out_at(quiet, Held(100, 3), NOW) is None
    assert pushed_out_at(quiet, Held(1001, 0), NOW) == NOW


def test_while_no_size_is_known_nothing_is_promised() -> None:
    assert pushed_out_at(Space(1000, Held(0, 1), None), Held(0, 1), NOW) == NOW


def test_only_what_moved_is_said_anew() -> None:
    at = NOW + 2 * DAY
    known = [("same", at), ("near", at + timedelta(minutes=9)), ("far", at + timedelta(minutes=11)), ("new", None)]
    waiting = [Waiting(name, Held(400, 4), estimate) for name, estimate in known]
    assert estimates(SPACE, waiting, NOW) == [("far", at), ("new", at)]
    gone = [Waiting("quiet", Held(1, 0), at), Waiting("silent", Held(1, 0), None)]
    assert estimates(Space(1000, Held(0, 0), 50.0), gone, NOW) == [("quiet", None)]


@given(st.integers(1, 10**15), st.integers(0, 10**12), st.integers(0, 10**6), st.floats(1, 1e9), st.integers(0, 10**12))
def test_the_older_it_is_the_sooner_it_goes(total: int, known: int, unknown: int, mean: float, more: int) -> None:
    space = Space(total, Held(known, unknown), mean)
    newer = pushed_out_at(space, Held(known, unknown), NOW)
    older = pushed_out_at(space, Held(known + more, unknown), NOW)
    assert newer is None or (older is not None and NOW <= older <= newer)
