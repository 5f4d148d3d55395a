"""Publishers that ask together read together, and each still gets a whole page of its own where there is more."""

import asyncio

import pytest
from counted_database import Counted

from fareline_chassis.health import HealthComponent
from order_binder.outbound.publication_reads import Clock, Pages, publication_queries

NUMBERS = (
    "SELECT g, g % $1 AS partition FROM generate_series(1, 12) AS g WHERE g % $1 = ANY ($2::int[]) ORDER BY g LIMIT $3"
)


@pytest.fixture
async def database(database_url):
    found = Counted(database_url, 1, 2, HealthComponent("postgres"))
    await found.connect()
    yield found
    await found.close()


async def numbers(pages, *asked):
    found = await asyncio.gather(*(pages(partition, limit) for partition, limit in asked))
    return [[row["g"] for row in rows] for rows in found]


async def test_one_look_serves_all_partitions(database):
    pages = Pages(database, NUMBERS, 3)
    assert await numbers(pages, (0, 20), (2, 20)) == [[3, 6, 9, 12], [2, 5, 8, 11]]
    assert database.taken == 1


async def test_more_than_a_page_gives_each_a_page_of_its_own(database):
    pages = Pages(database, NUMBERS, 3)
    assert await numbers(pages, (0, 3), (1, 3), (2, 9)) == [[3, 6, 9], [1, 4, 7], [2, 5, 8, 11]]
    assert await numbers(pages, (1, 2)) == [[1, 4]]


async def test_the_time_is_never_earlier_than_the_question(database):
    clock = Clock(database, publication_queries())
    first, second = await asyncio.gather(clock(), clock())
    assert first == second
    assert await clock() > first
