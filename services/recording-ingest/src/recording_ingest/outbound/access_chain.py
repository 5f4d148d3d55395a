"""The whole access log in Postgres, followed from its first row to its last."""

from typing import Final

from fareline_chassis.postgres.pool import Connection
from fareline_chassis.postgres.sql import load_queries
from recording_ingest.domain.access_chain import Link, Walk, ended, followed

_AT_ONCE: Final = 2000


async def walk_access_log(connection: Connection, kept: bytes | None = None) -> Walk:
    """Return where the chain breaks, if it does. Some thousand rows are held at a time, and nobody is kept waiting.

    `kept`: a hash written down after an earlier walk, which must still be there.
    """
    queries = load_queries("recording_ingest.outbound", "access_chain")
    walk = Walk(kept=kept)
    # One snapshot: rows written meanwhile are neither among the links nor in the head.
    async with connection.transaction(isolation="repeatable_read", readonly=True):
        head = await connection.fetchval(queries.head)
        cursor = await connection.cursor(queries.links)
        while walk.broken is None and (rows := await cursor.fetch(_AT_ONCE)):
            walk = followed(walk, [Link(**row) for row in rows])
    return ended(walk, head)
