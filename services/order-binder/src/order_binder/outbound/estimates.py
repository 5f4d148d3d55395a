"""Counts that may be some seconds old: bindings of each number, codes of each tenant."""

import asyncio
from collections import Counter
from datetime import timedelta
from typing import Final

from asyncpg import InterfaceError, PostgresError

from fareline_chassis.logs import get_logger
from fareline_chassis.postgres.errors import DatabaseUnavailable
from fareline_chassis.postgres.pool import Database
from fareline_chassis.postgres.sql import load_queries

COUNT_EVERY: Final = timedelta(seconds=10)
log = get_logger(__name__)


class Estimates:
    """The last counts, one for all transactions of a process; what nobody has counted yet counts as 0.

    `loads` is how many bindings use each number, `live_codes` how many codes of each tenant are live or cooling.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._queries = load_queries("order_binder.outbound", "estimates")
        self.loads: Counter[str] = Counter()
        self.live_codes: Counter[str] = Counter()

    async def count(self) -> None:
        """Count anew; while it runs, the counts stay as they were. Raises whatever the database raises."""
        async with self._database.transaction(readonly=True) as connection:
            await connection.execute(self._queries.read_whole_tables)
            loads = await connection.fetch(self._queries.loads)
            codes = await connection.fetch(self._queries.live_codes)
        self.loads = Counter({row["number"]: row["bindings"] for row in loads})
        self.live_codes = Counter({row["tenant"]: row["codes"] for row in codes})

    async def keep_counting(self) -> None:
        """Count every few seconds until cancelled; while the database is away the last counts are good enough."""
        while True:
            await asyncio.sleep(COUNT_EVERY.total_seconds())
            await self.try_to_count()

    async def try_to_count(self) -> None:
        """Count if the database can be asked; say so where it cannot."""
        try:
            await self.count()
        except (DatabaseUnavailable, InterfaceError, OSError, PostgresError, TimeoutError) as error:
            log.warning("estimates.unknown", error=type(error).__name__)
