"""`python -m recording_ingest run` serves; `migrate` prepares the database; `reseal` and `grant-bi` look after it."""

import enum
import hashlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Annotated

import asyncpg
import typer

from fareline_chassis.auth import TokensUnusable
from fareline_chassis.kafka.dead_letter_cli import DeadLetterCommands
from fareline_chassis.kafka.dead_letters import DeadLetterBox
from fareline_chassis.lifecycle import explained, run_command
from fareline_chassis.lifecycle import run as run_service
from fareline_chassis.logs import configure_logging
from fareline_chassis.postgres.explained import why_not
from fareline_chassis.postgres.migrations import migrate as apply_migrations
from fareline_chassis.postgres.pool import Connection
from fareline_chassis.settings import KafkaSettings, PostgresSettings, TelemetrySettings, load_settings
from fareline_contracts.accounts import AccountsUnusable
from fareline_contracts.topics import CALLS
from recording_ingest import app
from recording_ingest.app import MIGRATIONS, SCHEMA, Service
from recording_ingest.outbound.access_chain import walk_access_log
from recording_ingest.outbound.grants import grant_bi as grant
from recording_ingest.outbound.phone_keys import KeysUnusable, PhoneKeys
from recording_ingest.outbound.phone_vault import PhoneVault
from recording_ingest.outbound.resealing import Resealing
from recording_ingest.settings import KeySettings, Settings

_NAME = "recording-ingest"
_CANNOT_START = (AccountsUnusable, KeysUnusable, TokensUnusable)
_BROKEN = 1
cli = typer.Typer(
    help="Call events and audio in, the call log out.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)


class Phase(enum.StrEnum):
    """Which migrations: those before a release, those after, both."""

    PRE = "pre"
    POST = "post"
    ALL = "all"


class _DeadLetterSettings(KafkaSettings, TelemetrySettings):
    """What working off dead letters needs."""


def _dead_letters() -> DeadLetterBox:
    settings = load_settings(_DeadLetterSettings)
    configure_logging(_NAME, "ERROR")
    return DeadLetterBox(settings.kafka, CALLS.name, client_id=f"{_NAME}-dlq", topic_prefix=settings.kafka_topic_prefix)


cli.add_typer(DeadLetterCommands(_dead_letters).group(), name="dlq")


@asynccontextmanager
async def _connected(settings: PostgresSettings) -> AsyncIterator[Connection]:
    session = {"search_path": SCHEMA, "application_name": "recording-ingest-command"}
    connection = await asyncpg.connect(settings.dsn, server_settings=session)
    try:
        yield connection
    finally:
        await connection.close()


@cli.command()
def run() -> None:
    """Consume call events, fetch recordings, serve the call log."""
    settings = load_settings(Settings)
    configure_logging(_NAME, settings.log_level)
    run_service(_serve(settings))


async def _serve(settings: Settings) -> None:
    with explained(_NAME, *_CANNOT_START):
        service = Service(settings)
    await service.run()


@cli.command()
def migrate(
    phase: Annotated[Phase, typer.Option(help="`pre` before a deployment, `post` after it.")] = Phase.ALL,
) -> None:
    """Apply pending migrations."""
    settings = load_settings(PostgresSettings)
    configure_logging(_NAME, "INFO")

    async def apply() -> None:
        applied = await apply_migrations(settings.dsn, MIGRATIONS, SCHEMA, phase.value)
        typer.echo(f"{len(applied)} migrations applied" if applied else "nothing to apply")

    run_command(_NAME, apply(), why_not)


@cli.command()
def reseal() -> None:
    """Rewrite phones that older keys sealed or hashed; afterwards those keys can leave the file."""
    settings = load_settings(KeySettings)
    configure_logging(_NAME, "WARNING")
    with explained(_NAME, KeysUnusable):
        vault = PhoneVault(PhoneKeys.load(settings.fareline_phone_keys_file, demo=settings.fareline_demo))

    async def rewrite() -> None:
        async with _connected(settings) as connection:
            done = await Resealing(connection, vault).run()
        typer.echo(f"rewritten: {done.events} events, {done.calls} calls, {done.recordings} recordings")

    run_command(_NAME, rewrite(), why_not)


@cli.command()
def refold() -> None:
    """Fold every call again from its kept events: after a release whose rules differ, or where rows were lost."""
    settings = load_settings(KeySettings)
    configure_logging(_NAME, "WARNING")

    async def fold() -> None:
        with explained(_NAME, KeysUnusable):
            done = await app.refold(settings)
        typer.echo(f"folded again: {done.calls} calls, {done.changed} of them changed")

    run_command(_NAME, fold(), why_not)


@cli.command()
def grant_bi(
    role: Annotated[str, typer.Argument(help="The role that dashboards log in with.")] = "fareline_bi",
    statement_timeout_s: Annotated[float, typer.Option(min=1, help="No statement of it runs longer.")] = 60,
    connections: Annotated[int, typer.Option(min=1, help="It may have so many at a time.")] = 10,
) -> None:
    """Let a role read the views in schema `analytics` and nothing else; make it where it is missing."""
    settings = load_settings(PostgresSettings)
    configure_logging(_NAME, "WARNING")

    async def let_read() -> None:
        async with _connected(settings) as connection:
            timeout = timedelta(seconds=statement_timeout_s)
            made = await grant(connection, role, statement_timeout=timeout, connections=connections)
        typer.echo(
            f"{role} may read schema analytics" + ("; give it a password with \\password in psql" if made else "")
        )

    run_command(_NAME, let_read(), why_not)


@cli.command()
def verify_access_log(
    kept: Annotated[str, typer.Option(help="The hash that an earlier run ended with: it must still be there.")] = "",
) -> None:
    """Follow the chain of who listened from its first row to its last; exit 1 at the first row that does not fit."""
    settings = load_settings(PostgresSettings)
    configure_logging(_NAME, "WARNING")
    expected = _digest(kept)

    async def walk() -> None:
        async with _connected(settings) as connection:
            found = await walk_access_log(connection, expected)
        if found.broken:
            typer.echo(f"the access log is broken: {found.broken}", err=True)
            raise SystemExit(_BROKEN)
        typer.echo(f"the access log is whole: {found.rows} rows, the last hash is {found.last_hash.hex()}")

    run_command(_NAME, walk(), why_not)


def _digest(text: str) -> bytes | None:
    try:
        digest = bytes.fromhex(text)
    except ValueError:
        digest = b"?"
    if len(digest) not in (0, hashlib.sha256().digest_size):
        raise typer.BadParameter("--kept takes 64 hexadecimal digits")
    return digest or None


@cli.command()
def retention(
    *, apply: Annotated[bool, typer.Option("--apply", help="Remove it. Without this nothing is changed.")] = False
) -> None:
    """Say what is older than tenants' policies allow, and remove it with --apply."""
    settings = load_settings(Settings)
    configure_logging(_NAME, settings.log_level)

    async def sweep() -> None:
        with explained(_NAME, KeysUnusable):
            due, gone = await app.retention(settings, apply=apply)
        for one in due:
            size = f"{one.recordings} recordings ({one.bytes / 1e6:.1f} MB)"
            typer.echo(f"{one.tenant or 'no tenant'}: {size} and {one.calls} calls are due, {one.held} calls are held")
        if gone:
            typer.echo(f"removed: {gone.recordings} recordings, {gone.calls} calls, {gone.orphans} objects of nobody")
        else:
            typer.echo("nothing was changed; --apply removes it" if due else "nothing is due")

    run_command(_NAME, sweep(), why_not)


if __name__ == "__main__":
    cli()
