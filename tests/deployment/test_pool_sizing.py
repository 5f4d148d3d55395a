"""The simulation behind docs/sizing.md: it uses order-binder's own slots, and says what it must."""

import importlib.util
from datetime import timedelta

import pytest


@pytest.fixture(scope="module")
def pool():
    from pathlib import Path

    path = Path(__file__).parents[2] / "deploy/sizing/pool.py"
    spec = importlib.util.spec_from_file_location("pool_sizing", path)
    module = importlib.util.module_from_spec(spec)
    import sys

    sys.modules["pool_sizing"] = module
    spec.loader.exec_module(module)
    return module


def test_more_numbers_leave_fewer_without_one_and_enough_leave_none(pool):
    fleet = pool.Fleet(20, 2)
    dry = [one.dry for one in pool.outcomes(fleet, (2, 8, 40), hours=24, warm=8)]
    assert dry[0] > dry[1] > dry[2] == 0


def test_what_counts_is_the_driver_not_the_fleet(pool):
    small, large = (pool.play(pool.Fleet(size, 2), 8, hours=24, warm=8).dry for size in (20, 80))
    assert abs(small - large) < 0.1
    busy = pool.play(pool.Fleet(20, 4, ride=timedelta(minutes=10)), 8, hours=24, warm=8).dry
    assert busy > small


def test_one_driver_never_has_two_clients_on_one_number(pool):
    rng = pool.random.Random(3)
    lent = pool.Pool(3, pool.WindowPolicy(), rng)
    first, *others = pool.rides(pool.Fleet(4, 4, ride=timedelta(minutes=10)), 3, rng)
    same_driver = [ride for ride in others if ride.driver == first.driver]
    numbers = [lent.accept(ride)[0] for ride in (first, *same_driver)][:3]
    assert len(set(numbers)) == 3
    assert lent.accept(same_driver[2])[0] is None
