"""`containers`: play the whole story against the images, by docker-compose.yml, and leave nothing running."""

import secrets
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial

import typer
from rich.console import Console

from fareline_devstack.commands.demo import INTERRUPTED
from fareline_devstack.compose import HOST_SEEN_FROM_INSIDE, ComposeSystem, compose_command
from fareline_devstack.layout import Layout, find_layout
from fareline_devstack.progress import OnStep
from fareline_devstack.story.accounts import fake_zadarma_for, write_accounts
from fareline_devstack.story.performance import House, perform
from fareline_devstack.story.report import WIDEST, print_introduction

READABLE_INSIDE = 0o644
EVERYWHERE = "0.0.0.0"  # noqa: S104 - containers reach this machine by another address than its loopback


def containers() -> None:
    """Start the images with compose, play the story against them, print the call log, remove everything.

    Exit code 0 when all came as told, 1 when a step did not, 2 where no engine answers. `make images` comes first.
    """
    console = Console(width=min(Console().width, WIDEST))
    compose_command()
    print_introduction(console)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        code = perform(console, partial(open_containers, find_layout(), f"fareline-{secrets.token_hex(3)}"))
    except KeyboardInterrupt:
        console.print("Interrupted; everything is removed again.")
        code = INTERRUPTED
    raise typer.Exit(code)


@contextmanager
def open_containers(layout: Layout, project: str, on_step: OnStep) -> Iterator[House]:
    """Start a small Zadarma on this machine, then the containers with accounts that point to it; remove all of it."""
    with compose_house(layout, project, on_step) as (house, _):
        yield house


@contextmanager
def compose_house(layout: Layout, project: str, on_step: OnStep) -> Iterator[tuple[House, ComposeSystem]]:
    """Do what `open_containers` does, and give the system too, so that a test can hurt it."""
    state = layout.state / project
    with fake_zadarma_for(layout.accounts_file, listen=EVERYWHERE, name=HOST_SEEN_FROM_INSIDE) as zadarma:
        accounts = write_accounts(layout.accounts_file, api_base=zadarma.base_url, to=state / "accounts.json")
        accounts.chmod(READABLE_INSIDE)
        environment = {"FARELINE_ACCOUNTS_FILE": str(accounts)}
        root = layout.demo.parents[1]
        try:
            with ComposeSystem(root, project, environment, on_step) as system:
                yield House(system=system.info, accounts_file=accounts, zadarma=zadarma, logs=state), system
        finally:
            accounts.unlink()
            state.rmdir()
