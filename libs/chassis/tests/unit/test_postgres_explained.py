"""What a command says of a database in its way; and that an error of ours is not explained away."""

import asyncpg
import pytest

from fareline_chassis.lifecycle import run_command
from fareline_chassis.postgres.explained import why_not
from fareline_chassis.postgres.migrations import MigrationError


@pytest.mark.parametrize(
    ("error", "begins", "advises"),
    [
        (ConnectionRefusedError("[Errno 111] Connect call failed"), "PostgreSQL cannot be reached", "run this again"),
        (TimeoutError(), "PostgreSQL cannot be reached: TimeoutError", "run this again"),
        (asyncpg.CannotConnectNowError("starting up"), "PostgreSQL cannot be reached", "run this again"),
        (asyncpg.InvalidPasswordError("password authentication failed"), "PostgreSQL does not let us in", "password"),
        (asyncpg.InvalidCatalogNameError("database x does not exist"), "the database is not there", "Create it"),
        (asyncpg.TooManyConnectionsError("too many clients"), "PostgreSQL has no room", "less busy"),
        (asyncpg.InsufficientPrivilegeError("permission denied"), "the user in DATABASE_URL may not", "grant"),
        (asyncpg.UndefinedTableError("relation does not exist"), "the schema is not that of this release", "`migrate`"),
        (asyncpg.UndefinedColumnError("no column"), "the schema is not that of this release", "`migrate`"),
        (MigrationError("0001_pre_x.sql: a lock was not to be had"), "cannot migrate: 0001_pre_x.sql", "lock"),
    ],
)
def test_what_stands_in_the_way_is_told_with_what_to_do(error: Exception, begins: str, advises: str) -> None:
    told = str(why_not(error))
    assert told.startswith(begins)
    assert advises in told


@pytest.mark.parametrize("error", [ValueError("ours"), asyncpg.UniqueViolationError("ours"), KeyError("ours")])
def test_an_error_of_ours_is_not_explained_away(error: Exception) -> None:
    assert why_not(error) is None


async def raising(error: Exception) -> None:
    raise error


def test_a_command_ends_with_2_and_a_sentence_or_with_1_as_a_crash(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        run_command("a-service", raising(ConnectionRefusedError("call +79031112233")), why_not)
    assert ended.value.code == 2
    assert capsys.readouterr().err == (
        "a-service: PostgreSQL cannot be reached: call +7***2233. See that it runs and that DATABASE_URL leads to it,"
        " then run this again: nothing is left half done.\n"
    )
    with pytest.raises(SystemExit) as crashed:
        run_command("a-service", raising(ValueError("ours")), why_not)
    assert crashed.value.code == 1
