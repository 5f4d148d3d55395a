"""Plain SQL migrations: files `NNNN_{pre,post}_slug.sql`, each applied once, in order, in a transaction of its own.

A file that builds large indexes can say that it runs outside a transaction: see `outside`.

`pre` files are what the code before this release can live with and run ahead of a deployment; `post` files need the new
code everywhere and run after it. A file is written without schema names: the service's schema comes first in the search
path. What was applied stands in `<schema>.schema_migrations` with its SHA-256; an applied file never changes.
"""

import asyncio
import contextlib
import hashlib
import re
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from importlib.resources import files
from typing import Final, Literal

import asyncpg

from fareline_chassis.backoff import Backoff
from fareline_chassis.logs import get_logger
from fareline_chassis.postgres.outside import IndexesUnusable, Statement, run_statements, statements

Phase = Literal["pre", "post"]

_log = get_logger("fareline.migrations")
_NAME = re.compile(r"^(\d{4})_(pre|post)_[a-z0-9_]+\.sql$")
_SCHEMA = re.compile(r"^[a-z][a-z0-9_]{0,62}$")
_LOCK_SPACE: Final = 0x4641524C
_ATTEMPTS: Final = 5
_TURN_ASKED_EVERY_S: Final = 0.1
_TRY_TURN: Final = "SELECT pg_try_advisory_xact_lock($1, hashtext($2))"


class MigrationError(Exception):
    """Migrations cannot be applied as they are; the message names the file."""


class _Blocked(Exception):
    """Somebody holds a lock on a table that the migration needs."""


@dataclass(frozen=True, slots=True)
class Migration:
    """One file. `alone`: its statements, where it runs outside a transaction."""

    name: str
    phase: Phase
    sha256: str
    sql: str
    alone: Sequence[Statement] | None = None


@dataclass(frozen=True, slots=True)
class _Run:
    """One call of `migrate`. `keeper` holds the turn while `connection` runs what runs outside a transaction."""

    connection: "asyncpg.Connection[asyncpg.Record]"
    keeper: "asyncpg.Connection[asyncpg.Record]"
    schema: str
    migrations: Sequence[Migration]
    phase: str
    turn_timeout: timedelta
    lock_timeout: timedelta


def load_migrations(package: str) -> list[Migration]:
    """Return the `.sql` files of the package or folder `package` (such as `order_binder.migrations`), in order.

    Raises MigrationError for a name that does not fit, or a number given twice.
    """
    found: dict[str, Migration] = {}
    for entry in sorted(files(package).iterdir(), key=lambda entry: entry.name):
        if not entry.name.endswith(".sql"):
            continue
        parts = _NAME.match(entry.name)
        if parts is None:
            raise MigrationError(f"{entry.name}: the name is not NNNN_pre_slug.sql or NNNN_post_slug.sql")
        if parts[1] in found:
            raise MigrationError(f"{entry.name} and {found[parts[1]].name} have the same number")
        sql = entry.read_text(encoding="utf-8").replace("\r\n", "\n")
        phase: Phase = "pre" if parts[2] == "pre" else "post"
        digest = hashlib.sha256(sql.encode()).hexdigest()
        found[parts[1]] = Migration(entry.name, phase, digest, sql, statements(sql))
    return list(found.values())


async def migrate(
    dsn: str,
    package: str,
    schema: str,
    phase: Literal["pre", "post", "all"],
    *,
    lock_timeout: timedelta = timedelta(seconds=5),
    turn_timeout: timedelta = timedelta(minutes=5),
) -> list[str]:
    """Apply what is pending of `phase` and return the names applied now.

    Any number of processes may do so at once: they take turns, waiting `turn_timeout` at most. A statement that waits
    for a table longer than `lock_timeout` is given up, so that traffic is not held up behind it, and tried again a few
    times; what is done CONCURRENTLY holds nobody up and waits. Raises MigrationError for a file changed after it was
    applied, one that must not run before an earlier file of the other phase, or one that fails (with PostgreSQL's
    message); what was applied before it stays applied.
    """
    migrations = load_migrations(package)
    _check_schema(schema)
    async with contextlib.AsyncExitStack() as stack:
        connection, keeper = [await _connected(stack, dsn, schema) for _ in range(2)]
        run = _Run(connection, keeper, schema, migrations, phase, turn_timeout, lock_timeout)
        await _prepare(run)
        applied: list[str] = []
        while (name := await _retried(run)) is not None:
            _log.info("migration applied", migration=name, schema=schema)
            applied.append(name)
        return applied


async def pending(dsn: str, package: str, schema: str, phase: Literal["pre", "post", "all"] = "pre") -> list[str]:
    """Return the names of `phase` that are not applied yet: the check at start-up, which must not find any `pre`.

    Changes nothing. Raises MigrationError for a file changed after it was applied, asyncpg's errors and OSError where
    the database cannot be asked.
    """
    _check_schema(schema)
    connection = await asyncpg.connect(dsn, server_settings={"application_name": f"{schema}-check"})
    try:
        known = await connection.fetchval("SELECT to_regclass($1) IS NOT NULL", f"{schema}.schema_migrations")
        applied = await _applied(connection, schema) if known else {}
    finally:
        await connection.close()
    return [one.name for one in _missing(load_migrations(package), applied) if phase in ("all", one.phase)]


async def _connected(stack: contextlib.AsyncExitStack, dsn: str, schema: str) -> "asyncpg.Connection[asyncpg.Record]":
    connection = await asyncpg.connect(dsn, server_settings={"application_name": f"{schema}-migrate"})
    stack.push_async_callback(connection.close)
    return connection


async def _prepare(run: _Run) -> None:
    async with _turn(run.connection, run):
        await run.connection.execute(f"CREATE SCHEMA IF NOT EXISTS {run.schema}")
        await run.connection.execute(
            f"CREATE TABLE IF NOT EXISTS {run.schema}.schema_migrations ("
            " name text PRIMARY KEY, sha256 text NOT NULL, applied_at timestamptz NOT NULL DEFAULT now())"
        )


async def _retried(run: _Run) -> str | None:
    backoff = Backoff(timedelta(milliseconds=500), timedelta(seconds=5))
    for attempt in range(1, _ATTEMPTS + 1):
        try:
            return await _apply_next(run)
        except _Blocked as blocked:
            if attempt == _ATTEMPTS:
                raise MigrationError(f"{blocked}, in {attempt} attempts") from blocked
            _log.warning("migration has to wait", schema=run.schema, reason=str(blocked))
        await asyncio.sleep(backoff.next())
    return None


async def _apply_next(run: _Run) -> str | None:
    connection = run.connection
    async with _turn(connection, run):
        following = await _following(run)
        if following is None:
            return None
        if following.alone is None:
            await _set_local(connection, "lock_timeout", _milliseconds(run.lock_timeout))
            await _set_local(connection, "search_path", f"{run.schema}, public")
            with _named(following):
                await connection.execute(following.sql)
            await _note(run, following)
            return following.name
    return await _apply_outside(run)


async def _apply_outside(run: _Run) -> str | None:
    async with _turn(run.keeper, run):
        following = await _following(run)
        if following is not None and following.alone is not None:
            with _named(following):
                await run_statements(run.connection, run.schema, following.alone, run.lock_timeout)
            await _note(run, following)
            return following.name
    return await _apply_next(run)  # another process was quicker


async def _following(run: _Run) -> Migration | None:
    return _next(_missing(run.migrations, await _applied(run.connection, run.schema)), run.phase)


@contextlib.contextmanager
def _named(following: Migration) -> Iterator[None]:
    """Name the file in whatever its statements end with."""
    try:
        yield
    except (asyncpg.LockNotAvailableError, asyncpg.DeadlockDetectedError) as error:
        raise _Blocked(f"{following.name}: a lock was not to be had: {error}") from error
    except (asyncpg.PostgresError, IndexesUnusable) as error:
        raise MigrationError(f"{following.name}: {error}") from error


async def _note(run: _Run, applied: Migration) -> None:
    insert = f"INSERT INTO {run.schema}.schema_migrations (name, sha256) VALUES ($1, $2)"  # noqa: S608 - checked name
    await run.connection.execute(insert, applied.name, applied.sha256)


@contextlib.asynccontextmanager
async def _turn(connection: "asyncpg.Connection[asyncpg.Record]", run: _Run) -> AsyncIterator[None]:
    """Hold the turn for the block, which is a transaction of `connection`.

    Nobody who waits for the turn, or holds it idly, may have a snapshot: an index that is built concurrently waits for
    every transaction with an older one. So it is asked for again and again, each time in a transaction of its own.
    """
    until = time.monotonic() + run.turn_timeout.total_seconds()
    while True:
        async with connection.transaction():
            if await connection.fetchval(_TRY_TURN, _LOCK_SPACE, run.schema):
                await connection.execute("SELECT 1")  # in the simple protocol: it closes what the question left open
                yield
                return
        if time.monotonic() >= until:
            raise MigrationError(f"{run.schema}: another process is migrating for longer than {run.turn_timeout}")
        await asyncio.sleep(_TURN_ASKED_EVERY_S)


async def _set_local(connection: "asyncpg.Connection[asyncpg.Record]", name: str, value: str) -> None:
    await connection.execute("SELECT set_config($1, $2, true)", name, value)


async def _applied(connection: "asyncpg.Connection[asyncpg.Record]", schema: str) -> dict[str, str]:
    rows = await connection.fetch(f"SELECT name, sha256 FROM {schema}.schema_migrations")  # noqa: S608 - checked name
    return {row["name"]: row["sha256"] for row in rows}


def _missing(migrations: Sequence[Migration], applied: dict[str, str]) -> list[Migration]:
    for one in migrations:
        if applied.get(one.name, one.sha256) != one.sha256:
            raise MigrationError(f"{one.name} was changed after it was applied; write a new migration instead")
    return [one for one in migrations if one.name not in applied]


def _next(missing: Sequence[Migration], phase: str) -> Migration | None:
    for place, one in enumerate(missing):
        if phase in ("all", one.phase):
            if place:
                raise MigrationError(f"{one.name} comes after {missing[0].name}, which is not applied yet")
            return one
    return None


def _milliseconds(length: timedelta) -> str:
    return f"{max(1, round(length.total_seconds() * 1000))}ms"


def _check_schema(schema: str) -> None:
    if not _SCHEMA.match(schema):
        raise MigrationError(f"{schema!r} cannot be a schema's name")
