"""Pauses between attempts grow to half an hour and are spread."""

from datetime import timedelta

import pytest

from recording_ingest.domain.retries import delay_before


@pytest.mark.parametrize(
    ("attempt", "least", "most"),
    [(2, 5, 10), (3, 10, 20), (4, 20, 40), (9, 640, 1280), (12, 900, 1800), (99, 900, 1800)],
)
def test_pauses(attempt: int, least: float, most: float) -> None:
    assert delay_before(attempt, jitter=0.0) == timedelta(seconds=least)
    assert delay_before(attempt, jitter=1.0) == timedelta(seconds=most)


def test_the_first_pause_is_given() -> None:
    assert delay_before(2, jitter=1.0, first=timedelta(seconds=1)) == timedelta(seconds=1)
