"""`python -m recording_ingest run` serves; `migrate` with pre, post or all prepares the database."""

import enum
from typing import Annotated

import typer

from fareline_chassis.lifecycle import run as run_service
from fareline_chassis.logs import configure_logging
from fareline_chassis.postgres.migrations import migrate as apply_migrations
from fareline_chassis.settings import PostgresSettings
from recording_ingest.app import MIGRATIONS, SCHEMA, Service
from recording_ingest.settings import Settings

cli = typer.Typer(no_args_is_help=True, pretty_exceptions_enable=False, help=__doc__)


class Phase(enum.StrEnum):
    """Which migrations: those before a release, those after, both."""

    PRE = "pre"
    POST = "post"
    ALL = "all"


@cli.command()
def run() -> None:
    """Consume call events, fetch recordings, serve the call log."""
    settings = Settings()
    configure_logging("recording-ingest", settings.log_level)
    run_service(Service(settings).run())


@cli.command()
def migrate(phase: Annotated[Phase, typer.Argument()] = Phase.ALL) -> None:
    """Apply pending migrations."""
    configure_logging("recording-ingest", "INFO")
    dsn = PostgresSettings().database_url.get_secret_value()

    async def apply() -> None:
        await apply_migrations(dsn, MIGRATIONS, SCHEMA, phase.value)

    run_service(apply())


if __name__ == "__main__":
    cli()
