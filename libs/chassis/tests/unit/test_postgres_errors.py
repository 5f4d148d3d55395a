import asyncpg
import pytest
from asyncpg.exceptions import PostgresError

from fareline_chassis.postgres.errors import DatabaseUnavailable, classify, retryable, sqlstate_of


def from_server(state: str) -> PostgresError:
    return PostgresError.new({"C": state, "M": "said by the server"})


@pytest.mark.parametrize(
    "error",
    [
        *[
            from_server(state)
            for state in (
                "08006",
                "25006",
                "25P02",
                "25P03",
                "25P04",
                "40001",
                "40P01",
                "53300",
                "55P03",
                "57014",
                "57P01",
                "58030",
            )
        ],
        DatabaseUnavailable("not connected"),
        ConnectionRefusedError("no"),
        FileNotFoundError("no socket"),
        TimeoutError(),
        asyncpg.InterfaceError("connection is closed"),
        asyncpg.InternalClientError("got result for unknown protocol state 3"),
        RuntimeError("unable to perform operation on <TCPTransport closed=True>; the handler is closed"),
        asyncpg.InvalidCachedStatementError("old plan"),
        asyncpg.OutdatedSchemaCacheError("old type"),
    ],
)
def test_the_moment_s_fault(error: Exception) -> None:
    assert classify(error) == "transient"


@pytest.mark.parametrize("error", [*[from_server(state) for state in ("22P02", "22021", "23505", "23514")]])
def test_the_record_s_fault(error: Exception) -> None:
    assert classify(error) == "record"
    assert not retryable(error)


@pytest.mark.parametrize(
    "error",
    [
        from_server("42P01"),
        from_server("XX000"),
        ValueError("ours"),
        RuntimeError("ours"),
        asyncpg.InterfaceError("the server expects 2 arguments for this query, 3 were passed"),
    ],
)
def test_nobody_s_fault_yet(error: Exception) -> None:
    assert classify(error) == "unexpected"
    assert not retryable(error)


@pytest.mark.parametrize("state", ["40001", "40P01", "57P01", "08006"])
def test_what_is_worth_another_attempt_at_once(state: str) -> None:
    assert retryable(from_server(state))


@pytest.mark.parametrize("state", ["53300", "57014", "55P03"])
def test_what_needs_a_pause_instead(state: str) -> None:
    assert not retryable(from_server(state))


def test_the_state_is_the_server_s() -> None:
    assert sqlstate_of(from_server("23505")) == "23505"
    assert sqlstate_of(OSError()) is None
