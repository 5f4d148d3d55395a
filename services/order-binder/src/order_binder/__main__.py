"""`python -m order_binder`: the roles of this service."""

import asyncio
from enum import StrEnum
from typing import Annotated

import typer
from aiokafka.errors import KafkaError

from fareline_chassis import lifecycle
from fareline_chassis.kafka.dead_letter_cli import DeadLetterCommands
from fareline_chassis.kafka.dead_letters import DeadLetterBox
from fareline_chassis.kafka.topics import PartitionsDiffer, ensure_topics
from fareline_chassis.logs import configure_logging
from fareline_chassis.postgres.explained import why_not
from fareline_chassis.settings import KafkaSettings, PostgresSettings, TelemetrySettings, load_settings
from fareline_contracts.topics import TAXI_ORDERS, deployed_topics
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


class TopicSettings(KafkaSettings, TelemetrySettings):
    """What creating topics, or working off dead letters, needs."""


def _dead_letters() -> DeadLetterBox:
    settings = load_settings(TopicSettings)
    configure_logging(SERVICE, "ERROR")
    return DeadLetterBox(
        settings.kafka, TAXI_ORDERS.name, client_id=f"{SERVICE}-dlq", topic_prefix=settings.kafka_topic_prefix
    )


cli.add_typer(DeadLetterCommands(_dead_letters).group(), name="dlq")


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

    async def apply() -> None:
        applied = await Schema(settings.dsn).migrate(phase.value)
        typer.echo(f"{len(applied)} migrations applied" if applied else "nothing to apply")

    lifecycle.run_command(SERVICE, apply(), why_not)


@cli.command(name="topics")
def topics_command(
    partitions: Annotated[
        int | None, typer.Option(min=1, help="Of each topic, never changed later; default: as the contracts say.")
    ] = None,
    replication: Annotated[int, typer.Option(min=1, help="Copies of each partition.")] = 1,
    min_insync: Annotated[int | None, typer.Option(min=1, help="Copies that have a record before its ack.")] = None,
) -> None:
    """Create the topics that are missing, for clusters without an operator. Needs the right to create topics."""
    settings = load_settings(TopicSettings)
    configure_logging(SERVICE, settings.log_level)
    made = ensure_topics(
        settings.kafka,
        deployed_topics(),
        prefix=settings.kafka_topic_prefix,
        partitions_override=partitions,
        replication=replication,
        min_insync=min_insync,
    )
    try:
        asyncio.run(made)
    except (PartitionsDiffer, KafkaError, OSError) as error:
        typer.echo(f"cannot create topics: {error}", err=True)
        raise typer.Exit(1) from None
    typer.echo(f"{len(deployed_topics())} topics are there")


if __name__ == "__main__":
    cli()
