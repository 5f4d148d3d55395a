"""`down`: end what `up` left running."""

from rich.console import Console

from fareline_devstack.layout import find_layout
from fareline_devstack.progress import Steps
from fareline_devstack.state import LeftRunning


def down() -> None:
    """Stop everything that `up` started and remove its data; logs stay."""
    console = Console()
    layout = find_layout()
    left = LeftRunning.read(layout.state_file)
    if left is None:
        console.print("Nothing is running.")
        return
    with Steps(console) as steps:
        left.stop_all(steps.step)
    layout.env_file.unlink(missing_ok=True)
    layout.state_file.unlink(missing_ok=True)
