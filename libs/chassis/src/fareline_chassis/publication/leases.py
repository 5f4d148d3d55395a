"""Leases: who publishes a partition now. Two holders for a moment do no harm, so no fencing is attempted."""

import re
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Protocol

from fareline_chassis.postgres.pool import Database
from fareline_chassis.postgres.sql import load_queries
from fareline_chassis.publication.rules import fair_share

LEASE_FOR = timedelta(seconds=3)
GIVE_UP_EARLY = timedelta(seconds=1)

LEASE_TABLE_SQL = """
CREATE TABLE {table} (
    topic text NOT NULL,
    partition integer NOT NULL,
    holder text NOT NULL,
    epoch bigint NOT NULL,
    expires_at timestamptz NOT NULL,
    PRIMARY KEY (topic, partition)
);
CREATE TABLE {table}_holder (
    topic text NOT NULL,
    holder text NOT NULL,
    expires_at timestamptz NOT NULL,
    PRIMARY KEY (topic, holder)
);
"""
"""What a service's migrations must create; `{table}` is the schema-qualified name it hands to PostgresLeaseStore."""

_TABLE = re.compile(r"[a-z_][a-z0-9_]*\.[a-z_][a-z0-9_]*")


class LeaseStore(Protocol):
    """Where leases stand. A lease lasts LEASE_FOR by the store's own clock, unless renewed.

    One that would last longer was written before that clock was set back, and counts as over.
    """

    async def acquire(self, topic: str, partitions: Sequence[int], holder: str) -> Mapping[int, int]:
        """Take or renew a fair share of `partitions`; return {partition: epoch} of all that `holder` holds now.

        Whoever asked within LEASE_FOR counts as a holder, with or without a lease; with more than its share it gives
        up the rest. The epoch stays the same while a lease is renewed in time and grows whenever it is taken.
        """

    async def release(self, topic: str, holder: str) -> None:
        """Give up everything `holder` has of `topic` and count no more, so that others need not wait."""


class PostgresLeaseStore:
    """Leases in a table made by LEASE_TABLE_SQL, by the database's clock."""

    def __init__(self, database: Database, table: str) -> None:
        """`table` is schema-qualified. Raises ValueError when it is not a plain name."""
        if not _TABLE.fullmatch(table):
            raise ValueError(f"not a schema-qualified table name: {table!r}")
        queries = load_queries("fareline_chassis.publication", "leases")
        self._database = database
        self._sql = {name: getattr(queries, name).replace("{table}", table) for name in queries}

    async def acquire(self, topic: str, partitions: Sequence[int], holder: str) -> Mapping[int, int]:
        """Look who is there, then take or renew in one guarded statement; rows are locked in partition order.

        Each statement stands for itself: whoever freezes between two of them holds no lock that others wait for.
        """
        async with self._database.acquire() as connection:
            await connection.execute(self._sql["attend"], topic, holder, LEASE_FOR)
            present = {row["holder"] for row in await connection.fetch(self._sql["holders"], topic, LEASE_FOR)}
            standing = await connection.fetch(self._sql["standing"], topic, LEASE_FOR)
            held = {row["partition"]: row["holder"] for row in standing}
            share = fair_share(partitions, held, holder, holders=len(present | set(held.values())))
            if share.given_up:
                await connection.execute(self._sql["give_up"], topic, holder, share.given_up)
            rows = await connection.fetch(self._sql["acquire"], topic, share.wanted, holder, LEASE_FOR)
        return {row["partition"]: row["epoch"] for row in rows}

    async def release(self, topic: str, holder: str) -> None:
        """Let the leases expire now."""
        async with self._database.acquire() as connection:
            await connection.execute(self._sql["leave"], topic, holder)
