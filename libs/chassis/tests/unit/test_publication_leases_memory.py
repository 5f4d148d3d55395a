from datetime import UTC, datetime, timedelta

import pytest
from fake_publication import MemoryLeaseStore
from lease_conformance import *  # noqa: F403 - the suite itself
from lease_conformance import LeasesUnderTest

from fareline_chassis.health import HealthComponent
from fareline_chassis.publication.keeper import LeaseKeeper
from fareline_chassis.publication.leases import LEASE_FOR, PostgresLeaseStore


class Time:
    """A clock that stands until moved; `hands` is its monotonic side."""

    def __init__(self) -> None:
        self.now = datetime(2026, 11, 25, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def hands(self) -> float:
        return self.now.timestamp()

    async def pass_by(self, span: timedelta) -> None:
        self.now += span


@pytest.fixture
def time() -> Time:
    return Time()


@pytest.fixture
def leases(time: Time) -> LeasesUnderTest:
    return LeasesUnderTest(MemoryLeaseStore(time), LEASE_FOR, time.pass_by)


def keeper(leases: LeasesUnderTest, time: Time, holder: str, store=None) -> LeaseKeeper:
    return LeaseKeeper(
        store or leases.store,
        topic="t",
        partitions=[0, 1],
        holder=holder,
        component=HealthComponent("publication"),
        monotonic=time.hands,
    )


async def test_a_holder_gives_up_before_anybody_else_can_begin(leases: LeasesUnderTest, time: Time) -> None:
    first, second = keeper(leases, time, "a"), keeper(leases, time, "b")
    await first.renew()
    await time.pass_by(timedelta(seconds=1.9))
    await second.renew()
    assert (first.lease(0).epoch, second.lease(0)) == (1, None)

    await time.pass_by(timedelta(seconds=0.2))
    await second.renew()
    assert (first.lease(0), second.lease(0)) == (None, None)

    await time.pass_by(timedelta(seconds=1))
    await second.renew()
    assert (first.lease(0), second.lease(0).epoch) == (None, 2)


async def test_a_released_lease_is_anothers_at_once(leases: LeasesUnderTest, time: Time) -> None:
    first, second = keeper(leases, time, "a"), keeper(leases, time, "b")
    await first.renew()
    await first.release()
    await second.renew()

    assert (first.lease(1), second.lease(1).epoch) == (None, 2)


class Unreachable:
    """A store that is not there."""

    async def acquire(self, topic, partitions, holder):
        raise ConnectionError

    async def release(self, topic, holder):
        raise ConnectionError


async def test_an_unreachable_store_is_said_in_health_and_raises_nothing(leases: LeasesUnderTest, time: Time) -> None:
    alone = keeper(leases, time, "a", store=Unreachable())
    await alone.renew()
    await alone.release()

    assert alone._component.state == "waiting"


@pytest.mark.parametrize("table", ["lease", "a.b; drop table c", 'a."b"', "A.b"])
def test_a_table_name_that_is_not_plain_is_refused(table: str) -> None:
    with pytest.raises(ValueError, match="table"):
        PostgresLeaseStore(None, table)
