"""The command line of the devstack. A new command is a file in `commands/` and a line here."""

import typer

from fareline_devstack.commands.call import call
from fareline_devstack.commands.containers import containers
from fareline_devstack.commands.demo import demo
from fareline_devstack.commands.down import down
from fareline_devstack.commands.status import status
from fareline_devstack.commands.topics import topics
from fareline_devstack.commands.up import up

COMMANDS = (up, down, status, topics, demo, call, containers)


def build_app() -> typer.Typer:
    """Return the application with every command."""
    app = typer.Typer(
        help="Fareline on one machine: real Kafka, real PostgreSQL, the three services.",
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
    )
    for command in COMMANDS:
        app.command()(command)
    return app
