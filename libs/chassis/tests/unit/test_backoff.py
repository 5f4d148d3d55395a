from datetime import timedelta

from fareline_chassis.backoff import Backoff


def test_delays_double_up_to_the_last_and_start_again() -> None:
    backoff = Backoff(timedelta(seconds=1), timedelta(seconds=10))
    for ceiling in (1, 2, 4, 8, 10, 10):
        assert ceiling / 2 <= backoff.next() <= ceiling
    backoff.reset()
    assert backoff.next() <= 1


def test_it_never_overflows() -> None:
    backoff = Backoff(timedelta(milliseconds=1), timedelta(seconds=30))
    assert max(backoff.next() for _ in range(5000)) <= 30


def test_two_do_not_move_in_step() -> None:
    delays = {Backoff(timedelta(seconds=1), timedelta(seconds=10)).next() for _ in range(20)}
    assert len(delays) > 10
