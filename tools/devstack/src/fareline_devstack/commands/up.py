"""`up`: start everything and leave it running."""

import os

from rich.console import Console
from rich.table import Table

from fareline_devstack.commands.reading import still_running
from fareline_devstack.envfile import write_env
from fareline_devstack.errors import DevstackError
from fareline_devstack.layout import Layout, find_layout
from fareline_devstack.processes import Lifetime
from fareline_devstack.progress import Steps
from fareline_devstack.services.catalogue import usual_ports
from fareline_devstack.system import System, SystemInfo
from fareline_devstack.variants import require_machine


def up() -> None:
    """Start Kafka, Postgres and the three services, load the demo tenants, and leave everything running."""
    console = Console()
    require_machine()
    layout = find_layout()
    if running := still_running(layout):
        raise DevstackError(f"already running: {', '.join(running)}; `make status` tells more, `make down` ends it")
    with Steps(console) as steps:
        info = start_detached(layout, steps)
    write_env(layout.env_file, info.as_env())
    console.print(_addresses(info))
    said = f"Also in {layout.env_file}; logs in {layout.logs}; `make down` ends it."
    console.print(said, highlight=False, soft_wrap=True)


def start_detached(layout: Layout, steps: Steps) -> SystemInfo:
    """Start the system on its usual ports so that it outlives this process."""
    system = System(
        layout,
        lifetime=Lifetime.DETACHED,
        service_ports=usual_ports(os.environ),
        on_step=steps.step,
    )
    return system.start()


def _addresses(info: SystemInfo) -> Table:
    table = Table(title="Fareline is running", title_justify="left", show_header=False, box=None, padding=(0, 2))
    for name, value in info.as_env().items():
        table.add_row(f"[bold]{name}[/]", value)
    return table
