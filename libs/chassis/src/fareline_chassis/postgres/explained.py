"""What a command says when PostgreSQL stands in its way: one sentence of what is wrong, one of what to do."""

from typing import Final

import asyncpg

from fareline_chassis.postgres.errors import connection_lost, sqlstate_of
from fareline_chassis.postgres.migrations import MigrationError

_LATER: Final = "See that it runs and that DATABASE_URL leads to it, then run this again: nothing is left half done."
_ADVICE: Final = {
    "28": ("PostgreSQL does not let us in", "Correct the user or the password in DATABASE_URL."),
    "3D": ("the database is not there", "Create it, or correct its name in DATABASE_URL."),
    "53": ("PostgreSQL has no room", "Run this again when it is less busy."),
    "42501": ("the user in DATABASE_URL may not do this", "Use one that may, or grant it the right."),
    "42P01": ("the schema is not that of this release", "Run `migrate` first."),
    "42703": ("the schema is not that of this release", "Run `migrate` first."),
    "42883": ("the schema is not that of this release", "Run `migrate` first."),
    "3F": ("the schema is not that of this release", "Run `migrate` first."),
}


def why_not(error: Exception) -> str | None:
    """Return what to tell whoever ran the command, None for an error that is ours to find.

    No password stands in it: asyncpg's messages name host, port, user and database.
    """
    if isinstance(error, MigrationError):
        return f"cannot migrate: {error}"
    if isinstance(error, asyncpg.ClientConfigurationError):
        return f"DATABASE_URL cannot be used: {error}"
    state = sqlstate_of(error) or ""
    for known, (what, advice) in _ADVICE.items():
        if state.startswith(known):
            return f"{what}: {_text(error)}. {advice}"
    if connection_lost(error) or isinstance(error, TimeoutError):
        return f"PostgreSQL cannot be reached: {_text(error)}. {_LATER}"
    return None


def _text(error: Exception) -> str:
    return str(error).strip().rstrip(".") or type(error).__name__
