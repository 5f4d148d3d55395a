"""What every lease store must do. A test module imports these tests and provides the fixture `leases`."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta

import pytest

from fareline_chassis.publication.leases import LeaseStore

TOPIC = "t"


@dataclass
class LeasesUnderTest:
    """A store, how long its leases last, and how to let time pass for it."""

    store: LeaseStore
    lease_for: timedelta
    pass_time: Callable[[timedelta], Awaitable[None]]


async def test_the_first_comer_gets_all_and_others_nothing(leases: LeasesUnderTest) -> None:
    assert await leases.store.acquire(TOPIC, [0, 1, 2], "a") == {0: 1, 1: 1, 2: 1}
    assert await leases.store.acquire(TOPIC, [0, 1, 2], "b") == {}


async def test_renewal_keeps_the_epoch_and_prolongs(leases: LeasesUnderTest) -> None:
    await leases.store.acquire(TOPIC, [0], "a")
    await leases.pass_time(leases.lease_for * 0.6)
    assert await leases.store.acquire(TOPIC, [0], "a") == {0: 1}
    await leases.pass_time(leases.lease_for * 0.6)
    assert await leases.store.acquire(TOPIC, [0], "b") == {}


@pytest.mark.parametrize("successor", ["a", "b"])
async def test_an_expired_lease_is_taken_under_a_higher_epoch(leases: LeasesUnderTest, successor: str) -> None:
    await leases.store.acquire(TOPIC, [0, 1], "a")
    await leases.pass_time(leases.lease_for * 1.1)

    assert await leases.store.acquire(TOPIC, [0, 1], successor) == {0: 2, 1: 2}


async def test_released_leases_are_free_at_once_and_only_ones_own_are(leases: LeasesUnderTest) -> None:
    await leases.store.acquire(TOPIC, [0], "a")
    await leases.store.acquire(TOPIC, [0, 1], "b")
    await leases.store.acquire("other", [0], "a")

    await leases.store.release(TOPIC, "a")

    assert await leases.store.acquire(TOPIC, [0, 1], "c") == {0: 2}
    assert await leases.store.acquire("other", [0], "c") == {}


async def test_a_newcomer_gets_its_share_and_the_others_keep_what_they_may(leases: LeasesUnderTest) -> None:
    everything = list(range(12))
    assert len(await leases.store.acquire(TOPIC, everything, "a")) == 12
    assert await leases.store.acquire(TOPIC, everything, "b") == {}
    assert await leases.store.acquire(TOPIC, everything, "a") == dict.fromkeys(range(6), 1)
    assert await leases.store.acquire(TOPIC, everything, "b") == dict.fromkeys(range(6, 12), 2)
    assert await leases.store.acquire(TOPIC, everything, "c") == {}
    assert await leases.store.acquire(TOPIC, everything, "a") == dict.fromkeys(range(4), 1)
    assert await leases.store.acquire(TOPIC, everything, "b") == dict.fromkeys(range(6, 10), 2)
    assert await leases.store.acquire(TOPIC, everything, "c") == {4: 2, 5: 2, 10: 3, 11: 3}


async def test_the_share_of_one_that_died_goes_to_those_that_live(leases: LeasesUnderTest) -> None:
    for _ in range(2):
        for holder in "ab":
            await leases.store.acquire(TOPIC, [0, 1, 2, 3], holder)
    await leases.pass_time(leases.lease_for * 0.6)
    assert len(await leases.store.acquire(TOPIC, [0, 1, 2, 3], "a")) == 2
    await leases.pass_time(leases.lease_for * 0.6)
    assert len(await leases.store.acquire(TOPIC, [0, 1, 2, 3], "a")) == 4


async def test_with_more_holders_than_partitions_nobody_is_moved(leases: LeasesUnderTest) -> None:
    assert await leases.store.acquire(TOPIC, [0], "b") == {0: 1}
    for holder in "acb":
        held = await leases.store.acquire(TOPIC, [0], holder)
        assert held == ({0: 1} if holder == "b" else {})


async def test_leases_of_the_dead_do_not_last_as_long_as_a_clock_was_set_back(leases: LeasesUnderTest) -> None:
    for _ in range(2):
        for holder in "ab":
            await leases.store.acquire(TOPIC, [0, 1], holder)
    await leases.pass_time(leases.lease_for * -100)
    assert set(await leases.store.acquire(TOPIC, [0, 1], "a")) == {0, 1}
