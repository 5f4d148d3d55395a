"""Migrations outside a transaction: for indexes that are built while others write.

The file's first line is `-- outside a transaction`. Its statements, each ended by a `;` at the end of a line, run one
after the other, each by itself. A statement below the line `-- for each partition of <table>` runs once for every
partition, whose name stands for `{partition}` in it. A file that ends half-way is begun again from its first statement;
so an index that may be there already is dropped first. IF NOT EXISTS would take a half-built one for whole.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

import asyncpg

_MARK: Final = "-- outside a transaction\n"
_END: Final = re.compile(r";[ \t]*(?:\n|\Z)")
_EACH: Final = re.compile(r"^-- for each partition of ([a-z_][a-z0-9_]*)$", re.MULTILINE)
_COMMENT: Final = re.compile(r"^[ \t]*--.*\n?", re.MULTILINE)
_CONCURRENTLY: Final = re.compile(r"\bCONCURRENTLY\b", re.IGNORECASE)
_PARTITIONS: Final = """
SELECT child.relname FROM pg_inherits JOIN pg_class AS child ON child.oid = inhrelid
WHERE inhparent = to_regclass($1) ORDER BY 1
"""
_UNUSABLE: Final = """
SELECT one.relname FROM pg_index JOIN pg_class AS one ON one.oid = indexrelid
WHERE one.relnamespace = $1::regnamespace AND NOT (indisvalid AND indisready) ORDER BY 1
"""


class IndexesUnusable(Exception):
    """A file left indexes that PostgreSQL does not use: half built, or not attached for every partition."""


@dataclass(frozen=True, slots=True)
class Statement:
    """One statement; `each_of`: the partitioned table for whose partitions it is repeated."""

    sql: str
    each_of: str | None = None


def statements(sql: str) -> Sequence[Statement] | None:
    """Return the statements of a file that runs outside a transaction, None for every other file."""
    if not sql.startswith(_MARK):
        return None
    found = []
    for piece in _END.split(sql.removeprefix(_MARK)):
        each, text = _EACH.search(piece), _COMMENT.sub("", piece).strip()
        if text:
            found.append(Statement(text, each[1] if each else None))
    return found


async def run_statements(
    connection: "asyncpg.Connection[asyncpg.Record]",
    schema: str,
    found: Sequence[Statement],
    lock_timeout: timedelta,
) -> None:
    """Run statements one by one, in `schema`; afterwards every index of the schema must be usable.

    What is done CONCURRENTLY holds nobody up and may wait for a lock as long as it takes; everything else waits for
    `lock_timeout` at most. Raises IndexesUnusable, and asyncpg's errors.
    """
    await connection.execute(f"SET search_path = {schema}, public")
    for one in found:
        for sql in await _repeated(connection, one):
            wait = 0 if _CONCURRENTLY.search(sql) else max(1, round(lock_timeout.total_seconds() * 1000))
            await connection.execute(f"SET lock_timeout = {wait}")
            await connection.execute(sql)
    await connection.execute("RESET lock_timeout")
    await connection.execute("RESET search_path")
    if unusable := [row["relname"] for row in await connection.fetch(_UNUSABLE, schema)]:
        raise IndexesUnusable(f"not usable: {', '.join(unusable)}")


async def _repeated(connection: "asyncpg.Connection[asyncpg.Record]", one: Statement) -> Sequence[str]:
    if one.each_of is None:
        return [one.sql]
    rows = await connection.fetch(_PARTITIONS, one.each_of)
    return [one.sql.replace("{partition}", row["relname"]) for row in rows]
