"""What PBXs hold that keep a number of bytes, as far as the ledger knows."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from fareline_chassis.postgres.pool import Database
from fareline_chassis.postgres.sql import load_queries
from recording_ingest.domain.space import Held, Space, Waiting

_AT_ONCE: Final = 10_000


class PostgresSpaces:
    """Reads from the ledger what an account's PBX holds, and writes the estimates into it."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._queries = load_queries("recording_ingest.outbound", "space")

    async def space(self, account: str, size_bytes: int, now: datetime) -> Space:
        """Return how the space of an account, `size_bytes` in all, fills."""
        async with self._database.acquire() as connection:
            row = await connection.fetchrow(self._queries.filling, account, now)
        assert row is not None
        return Space(size_bytes, Held(row["known_bytes"], row["unknown"]), row["mean_bytes"])

    async def waiting(self, account: str) -> Sequence[Waiting]:
        """Return the account's recordings that are not stored, the oldest 10,000."""
        async with self._database.acquire() as connection:
            rows = await connection.fetch(self._queries.waiting, account, _AT_ONCE)
        return [
            Waiting(row["recording_id"], Held(row["known_bytes"], row["unknown"]), row["pushed_out_at"]) for row in rows
        ]

    async def note(self, estimates: Sequence[tuple[str, datetime | None]]) -> None:
        """Write estimates; a recording that somebody works on is passed over until the next time."""
        ids, times = [one[0] for one in estimates], [one[1] for one in estimates]
        async with self._database.acquire() as connection:
            await connection.execute(self._queries.note, ids, times)

    async def only(self, accounts: Sequence[str]) -> None:
        """Take back what was said of recordings of other accounts."""
        async with self._database.acquire() as connection:
            await connection.execute(self._queries.unbound, list(accounts))
