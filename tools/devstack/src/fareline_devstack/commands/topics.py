"""`topics`: create the topics of the contracts on a Kafka."""

from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from fareline_devstack.envfile import read_env
from fareline_devstack.kafka.topics import PARTITIONS, create_topics, registry_specs
from fareline_devstack.layout import find_layout
from fareline_devstack.waiting import run_blocking


def topics(
    bootstrap: Annotated[
        str | None, typer.Option(help="Kafka's bootstrap servers; default: what `up` started.")
    ] = None,
    prefix: Annotated[str, typer.Option(help="Put before every topic's name.")] = "",
    partitions: Annotated[int, typer.Option(min=1, help="Of each topic; never changed later.")] = PARTITIONS,
) -> None:
    """Create those topics of the contracts that do not exist yet, and list all of them."""
    servers = bootstrap or read_env(find_layout().env_file)["KAFKA_BOOTSTRAP"]
    specs = registry_specs(prefix, partitions)
    run_blocking(create_topics(servers, specs))
    table = Table("topic", "partitions", "kept")
    for spec in specs:
        table.add_row(spec.name, str(spec.partitions), _kept(dict(spec.config)))
    Console().print(table)


def _kept(config: dict[str, str]) -> str:
    if config["cleanup.policy"] == "compact":
        return "last record of each key"
    return f"{int(config['retention.ms']) // 86_400_000} days"
