from datetime import UTC, datetime, timedelta

import pytest
from binder_support import HOUR, MINUTE, NOON

from fareline_contracts.bindings import Direction
from order_binder.domain.policy import WindowPolicy
from order_binder.domain.revision import next_revision
from order_binder.domain.windows import Timing, Window, grace_windows, open_windows, plausible_since


def test_a_revision_is_the_time_in_microseconds_unless_that_would_not_grow():
    micros = int(NOON.timestamp()) * 1_000_000
    assert next_revision(0, NOON) == micros
    assert next_revision(micros, NOON) == micros + 1
    assert next_revision(micros + 10**9, NOON) == micros + 10**9 + 1


@pytest.mark.parametrize(
    ("offset", "over", "replaced"),
    [
        (MINUTE, False, False),
        (MINUTE + timedelta(seconds=1), False, True),
        (MINUTE + timedelta(seconds=1), True, True),
        (-48 * HOUR, False, False),
        (-49 * HOUR, False, True),
        (-49 * HOUR, True, False),
    ],
)
def test_a_time_beyond_belief_is_replaced_by_kafkas_but_never_moved_forward_for_an_order_that_is_over(
    offset, over, replaced
):
    since, was_replaced = plausible_since(NOON + offset, NOON, over=over)
    assert was_replaced is replaced
    assert since == (NOON if replaced else NOON + offset)


def test_a_window_closed_before_it_opened_is_empty():
    assert Window(NOON + HOUR, NOON + 2 * HOUR).closed_at(NOON) == Window(NOON, NOON)
    assert Window(NOON - HOUR, NOON - MINUTE).closed_at(NOON) == Window(NOON - HOUR, NOON - MINUTE)


@pytest.mark.parametrize("scheduled_for", [datetime(2099, 12, 31, 23, 59, 59, tzinfo=UTC), None])
@pytest.mark.parametrize("since", [NOON, datetime(2099, 12, 31, 23, 0, tzinfo=UTC)])
def test_no_window_reaches_where_no_record_can(scheduled_for, since):
    timing, policy = Timing(since, scheduled_for, NOON), WindowPolicy(cap=timedelta(days=30))
    for found in (open_windows(timing, policy, at_once=False), grace_windows(timing, policy, None)):
        for window in (found.driver_to_client, found.client_to_driver):
            Direction(opens_at=window.opens_at, closes_at=window.closes_at)
            assert window.opens_at <= window.closes_at
