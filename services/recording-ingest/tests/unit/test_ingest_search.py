"""Questions to the call log: periods."""

from datetime import UTC, datetime, timedelta

import pytest

from recording_ingest.domain.search import BadQuestion, period

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
