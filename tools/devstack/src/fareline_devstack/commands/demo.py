"""`demo`: play the whole story on this machine and leave nothing running."""

import fcntl
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import typer
from rich.console import Console

from fareline_devstack.errors import DevstackError
from fareline_devstack.layout import Layout, find_layout
from fareline_devstack.progress import OnStep
from fareline_devstack.story.accounts import fake_zadarma_for, write_accounts
from fareline_devstack.story.performance import House, perform
from fareline_devstack.story.report import WIDEST, print_introduction
from fareline_devstack.system import System
from fareline_devstack.variants import require_machine

INTERRUPTED = 130


def demo() -> None:
    """Start everything, play the story step by step, print the call log, stop everything.

    Exit code 0 when all came as told, 1 when a step did not, 2 where this machine can run neither Kafka nor Postgres.
    """
    console = Console(width=min(Console().width, WIDEST), highlight=False)
    with console.status("Looking for Docker, or for Java and Maven"):
        require_machine()
    print_introduction(console)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        code = perform(console, partial(open_house, layout_of_the_demo()))
    except KeyboardInterrupt:
        console.print("Interrupted; everything is stopped again.")
        code = INTERRUPTED
    raise typer.Exit(code)


def layout_of_the_demo() -> Layout:
    """Return the repository's layout with a state folder of the demo's own, so that `up` may run beside it."""
    layout = find_layout()
    return Layout(demo=layout.demo, state=layout.state / "demo")


@contextmanager
def open_house(layout: Layout, on_step: OnStep) -> Iterator[House]:
    """Start a small Zadarma, then everything else with accounts that point to it; stop all of it at the end."""
    with only_one(layout.state), fake_zadarma_for(layout.accounts_file) as zadarma:
        accounts_file = write_accounts(
            layout.accounts_file, api_base=zadarma.base_url, to=layout.state / "accounts.json"
        )
        with System(layout, accounts_file=accounts_file, on_step=on_step) as system:
            yield House(system=system, accounts_file=accounts_file, zadarma=zadarma, logs=layout.logs)


@contextmanager
def only_one(state: Path) -> Iterator[None]:
    """Keep `state` for this process: a second one would remove the spool and the logs of the first.

    Raises `DevstackError` while another process has it. The kernel gives it back when we end, however we end.
    """
    state.mkdir(parents=True, exist_ok=True)
    with (state / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as taken:
            raise DevstackError("the demo is being played from this folder already: let it end, or stop it") from taken
        yield
