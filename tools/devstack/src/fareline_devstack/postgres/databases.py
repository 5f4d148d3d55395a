"""Fresh databases on a running server."""

import re
from urllib.parse import urlsplit, urlunsplit

import asyncpg

from fareline_devstack.errors import DevstackError

NAME = re.compile(r"[a-z][a-z0-9_]{0,62}")


async def create_database(admin_dsn: str, name: str) -> str:
    """Create the empty database `name` and return its DSN."""
    await _execute(admin_dsn, f"CREATE DATABASE {_checked(name)} TEMPLATE template0")
    return dsn_of(admin_dsn, name)


async def drop_database(admin_dsn: str, name: str) -> None:
    """Drop the database `name` whoever is connected to it; no error if it is gone."""
    await _execute(admin_dsn, f"DROP DATABASE IF EXISTS {_checked(name)} WITH (FORCE)")


def dsn_of(admin_dsn: str, name: str) -> str:
    """Return `admin_dsn` with its database replaced by `name`."""
    return urlunsplit(urlsplit(admin_dsn)._replace(path=f"/{name}"))


def _checked(name: str) -> str:
    if not NAME.fullmatch(name):
        raise DevstackError(f"{name!r} is no name for a database of ours: lower case, digits and underscores")
    return name


async def _execute(dsn: str, statement: str) -> None:
    connection = await asyncpg.connect(dsn)
    try:
        await connection.execute(statement)
    finally:
        await connection.close()
