"""`python -m order_binder`: the roles of this service."""

import asyncio
from enum import StrEnum
from typing import Annotated

import typer

from fareline_chassis import lifecycle
from fareline_chassis.logs import configure_logging
from fareline_chassis.postgres.migrations import MigrationError
from fareline_chassis.settings import PostgresSettings, TelemetrySettings, load_settings
from order_binder.app import SERVICE, run
from order_binder.outbound.schema import Schema
from order_binder.settings import Settings

cli = typer.Typer(
    help="Order events in, bindings out.", no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False
)


class Phase(StrEnum):
    """Which migrations to apply."""

    PRE = "pre"
    POST = "post"
    ALL = "all"


class MigrateSettings(PostgresSettings, TelemetrySettings):
    """What migrating needs."""


@cli.command(name="run")
def run_command() -> None:
    """Consume order events, publish bindings, serve HTTP, until SIGTERM."""
    settings = load_settings(Settings)
    configure_logging(SERVICE, settings.log_level)
    lifecycle.run(run(settings))


@cli.command(name="migrate")
def migrate_command(
    phase: Annotated[Phase, typer.Option(help="`pre` before a deployment, `post` after it.")] = Phase.ALL,
) -> None:
    """Bring the database's schema up to this release. Safe to run in several places at once."""
    settings = load_settings(MigrateSettings)
    configure_logging(SERVICE, settings.log_level)
    try:
        applied = asyncio.run(Schema(settings.database_url.get_secret_value()).migrate(phase.value))
    except (MigrationError, OSError) as error:
        typer.echo(f"cannot migrate: {error}", err=True)
        raise typer.Exit(1) from None
    typer.echo(f"{len(applied)} migrations applied" if applied else "nothing to apply")


if __name__ == "__main__":
    cli()
