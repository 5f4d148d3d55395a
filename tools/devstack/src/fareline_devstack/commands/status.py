"""`status`: say what `up` left running, and how it is."""

import typer
from rich.console import Console
from rich.table import Column, Table

from fareline_devstack.kafka import probe as kafka_probe
from fareline_devstack.layout import find_layout
from fareline_devstack.postgres import probe as postgres_probe
from fareline_devstack.services.process import READY_PATH, healthy
from fareline_devstack.state import LeftRunning

NOT_RUNNING = 1


def status() -> None:
    """Say what runs, where, and whether it is ready; exit code 1 unless everything is."""
    console = Console()
    layout = find_layout()
    left = LeftRunning.read(layout.state_file)
    if left is None:
        console.print("Nothing is running; `make up` starts everything.")
        raise typer.Exit(NOT_RUNNING)
    table = Table("what", "state", Column("address", overflow="fold"), "pid", box=None, padding=(0, 2, 0, 0))
    ready = [_add_container(table, entry.name, entry.address) for entry in left.containers]
    for process in left.processes:
        state = _state(process.name, process.address) if process.running else "ended"
        ready.append(state == "ready")
        table.add_row(process.name, _coloured(state), process.address, str(process.pid))
    console.print(table)
    console.print(f"Logs are in {layout.logs}; `make down` ends it.", highlight=False, soft_wrap=True)
    if not all(ready):
        raise typer.Exit(NOT_RUNNING)


def _add_container(table: Table, name: str, address: str) -> bool:
    state = _state(name, address)
    table.add_row(name, _coloured(state), address, "container")
    return state == "ready"


def _state(name: str, address: str) -> str:
    if name == "kafka":
        ready = kafka_probe.answers(address)
    elif name == "postgres":
        ready = postgres_probe.answers(address)
    else:
        ready = healthy(address, READY_PATH)
    return "ready" if ready else "not ready"


def _coloured(state: str) -> str:
    return f"[{'green' if state == 'ready' else 'red'}]{state}[/]"
