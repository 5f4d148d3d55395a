"""Whose fault a database error is: the moment's, the record's, or ours."""

from typing import Final, Literal

import asyncpg

Fault = Literal["transient", "record", "unexpected"]

_TRANSIENT_CLASSES: Final = frozenset({"08", "40", "53", "57", "58"})
_TRANSIENT_STATES: Final = frozenset(
    {
        "25006",  # read-only: the connection leads to a former primary
        "25P02",  # the statement before this one failed
        "25P03",  # idle in transaction for too long: we were slow, not the record
        "25P04",  # in a transaction for too long
        "55P03",  # lock_timeout
    }
)
_RECORD_CLASSES: Final = frozenset({"22", "23"})
_RETRYABLE_STATES: Final = frozenset({"40001", "40P01"})
_MISUSE: Final = "the server expects"
_UVLOOP_CLOSED: Final = "the handler is closed"


class DatabaseUnavailable(Exception):
    """There is no connection to the database just now; the message says why, without the address's password."""


def sqlstate_of(error: BaseException) -> str | None:
    """Return PostgreSQL's SQLSTATE of `error`; None where it does not come from the server."""
    state = getattr(error, "sqlstate", None)
    return state if isinstance(state, str) else None


def connection_lost(error: BaseException) -> bool:
    """Tell whether `error` means that the connection is gone or could not be made; what was under way is unknown."""
    if isinstance(error, (DatabaseUnavailable, OSError, asyncpg.PostgresConnectionError, asyncpg.InternalClientError)):
        return True
    if isinstance(error, RuntimeError) and _UVLOOP_CLOSED in str(error):
        return True  # what uvloop says to who writes to a connection that has just gone
    if isinstance(error, asyncpg.InterfaceError):
        return not isinstance(error, ValueError) and not str(error).startswith(_MISUSE)
    state = sqlstate_of(error) or ""
    return state.startswith(("08", "57P"))


def classify(error: BaseException) -> Fault:
    """Say what to do about `error` that came out of a database call.

    `transient`: pause and try the same again (connection loss, timeouts, SQLSTATE classes 08 40 53 57 58, a few more
    states). `record`: the data can never be written (classes 22, 23; asyncpg gives its own refusals 22000).
    `unexpected`: the rest, which nobody foresaw.
    """
    state = sqlstate_of(error) or ""
    if state[:2] in _RECORD_CLASSES:
        return "record"
    if state[:2] in _TRANSIENT_CLASSES or state in _TRANSIENT_STATES:
        return "transient"
    stale_plan = (asyncpg.InvalidCachedStatementError, asyncpg.OutdatedSchemaCacheError)
    if connection_lost(error) or isinstance(error, (TimeoutError, *stale_plan)):
        return "transient"
    return "unexpected"


def retryable(error: BaseException) -> bool:
    """Tell whether the transaction, begun anew at once, may well work: 40001, 40P01, connection loss, an old plan."""
    return (
        sqlstate_of(error) in _RETRYABLE_STATES
        or connection_lost(error)
        or isinstance(error, (asyncpg.InvalidCachedStatementError, asyncpg.OutdatedSchemaCacheError))
    )
