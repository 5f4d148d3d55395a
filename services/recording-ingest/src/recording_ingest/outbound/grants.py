"""A role for dashboards: it reads the views in schema `analytics`, nothing else, and no statement of it runs long."""

import re
from datetime import timedelta
from typing import Final

from fareline_chassis.postgres.pool import Connection
from fareline_chassis.postgres.sql import load_queries

_ROLE: Final = re.compile(r"[a-z_][a-z0-9_]{0,62}")


class RoleRefused(ValueError):
    """A name that cannot be a role's; the message says what can."""


async def grant_bi(connection: Connection, role: str, *, statement_timeout: timedelta, connections: int) -> bool:
    """Make `role` where it is missing, let it read, and bound it; return whether it was made (it has no password yet).

    Doing it again only sets the bounds anew. Needs CREATEROLE where the role is missing. Raises RoleRefused.
    """
    if not _ROLE.fullmatch(role):
        raise RoleRefused("a role's name is made of a-z, 0-9 and _, and begins with no digit")
    queries = load_queries("recording_ingest.outbound", "grants")
    made = not await connection.fetchval(queries.exists, role)
    if made:
        await connection.execute(queries.create.format(role=role))
    timeout_ms = round(statement_timeout.total_seconds() * 1000)
    await connection.execute(queries.grants.format(role=role, timeout_ms=timeout_ms, connections=connections))
    return made
