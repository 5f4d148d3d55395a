"""Questions to the call log: periods and cursors."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recording_ingest.domain.search import BadQuestion, Cursor, period

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)


@pytest.mark.parametrize(
    ("since", "until", "expected"),
    [
        (None, None, (NOW - 24 * HOUR, NOW)),
        (NOW - HOUR, None, (NOW - HOUR, NOW)),
        (NOW - 48 * HOUR, None, (NOW - 48 * HOUR, NOW)),
        (None, NOW - HOUR, (NOW - 25 * HOUR, NOW - HOUR)),
        (NOW - timedelta(days=31), NOW, (NOW - timedelta(days=31), NOW)),
    ],
)
def test_periods(since: datetime | None, until: datetime | None, expected: tuple[datetime, datetime]) -> None:
    assert period(since, until, NOW) == expected


@pytest.mark.parametrize(
    ("since", "until"),
    [
        (NOW, NOW),
        (NOW, NOW - HOUR),
        (NOW + HOUR, None),
        (NOW - timedelta(days=31, seconds=1), NOW),
        (NOW.replace(tzinfo=None), None),
    ],
)
def test_periods_that_cannot_be_answered(since: datetime | None, until: datetime | None) -> None:
    with pytest.raises(BadQuestion):
        period(since, until, NOW)


@given(st.datetimes(min_value=datetime(2000, 1, 1), timezones=st.just(UTC)), st.text(max_size=50))  # noqa: DTZ001 - Hypothesis wants it naive
def test_a_cursor_comes_back(instant: datetime, call_id: str) -> None:
    if "\x00" in call_id:
        return
    cursor = Cursor(instant, call_id)
    assert Cursor.decode(cursor.encode()) == cursor


@given(st.one_of(st.text(max_size=80), st.binary(max_size=60).map(lambda raw: Cursor(NOW, "c").encode() + raw.hex())))
def test_any_other_word_is_refused(word: str) -> None:
    try:
        assert Cursor.decode(word).encode() == word
    except BadQuestion:
        pass
