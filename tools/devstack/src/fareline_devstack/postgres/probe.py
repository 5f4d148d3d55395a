"""Whether a PostgreSQL answers."""

import time

import asyncpg

from fareline_devstack.errors import ProcessFailed
from fareline_devstack.processes import Child, log_hint
from fareline_devstack.waiting import POLL_SECONDS, run_blocking

CONNECT_SECONDS = 5.0


async def answers_query(dsn: str) -> bool:
    """Whether the server at `dsn` runs a query."""
    try:
        connection = await asyncpg.connect(dsn, timeout=CONNECT_SECONDS)
    except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError):
        return False
    try:
        return bool(await connection.fetchval("SELECT true"))
    finally:
        await connection.close()


def answers(dsn: str) -> bool:
    """Return the same for code without a loop."""
    return run_blocking(answers_query(dsn))


def wait_for_postgres(dsn: str, process: Child, *, seconds: float) -> None:
    """Return once it answers; raise `ProcessFailed` when it ends or stays silent for `seconds`."""
    deadline = time.monotonic() + seconds
    while not answers(dsn):
        process.require_running()
        if time.monotonic() > deadline:
            raise ProcessFailed(
                f"PostgreSQL did not answer within {seconds:.0f} s; {log_hint(process.command.log_file)}"
            )
        time.sleep(POLL_SECONDS)
