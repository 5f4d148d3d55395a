import asyncio
from datetime import timedelta

import pytest
from lease_conformance import *  # noqa: F403 - the suite itself
from lease_conformance import LeasesUnderTest

from fareline_chassis.health import HealthComponent
from fareline_chassis.postgres.pool import Database
from fareline_chassis.publication.leases import LEASE_TABLE_SQL, PostgresLeaseStore

TABLE = "service.publication_lease"
LEASE_FOR = timedelta(hours=1)  # time passes as the tests say, not as long as they take


@pytest.fixture
async def database(database_url: str):
    database = Database(database_url, 1, 8, HealthComponent("postgres"))
    await database.connect()
    async with database.acquire() as connection:
        await connection.execute("CREATE SCHEMA service")
        await connection.execute(LEASE_TABLE_SQL.replace("{table}", TABLE))
    yield database
    await database.close()


@pytest.fixture
def leases(database: Database, monkeypatch: pytest.MonkeyPatch) -> LeasesUnderTest:
    monkeypatch.setattr("fareline_chassis.publication.leases.LEASE_FOR", LEASE_FOR)

    async def pass_time(span: timedelta) -> None:
        async with database.acquire() as connection:
            for table in (TABLE, f"{TABLE}_holder"):
                await connection.execute(f"UPDATE {table} SET expires_at = expires_at - $1::interval", span)

    return LeasesUnderTest(PostgresLeaseStore(database, TABLE), LEASE_FOR, pass_time)


async def test_of_many_at_once_each_partition_has_one_holder(leases: LeasesUnderTest) -> None:
    for _ in range(12):
        held = await asyncio.gather(*[leases.store.acquire("t", range(12), f"holder {n}") for n in range(8)])
        taken = [partition for grants in held for partition in grants]
        assert len(taken) == len(set(taken))
        if len(taken) == 12 and max(map(len, held)) == 2:
            return
    pytest.fail("the leases are not shared out after a dozen rounds")
