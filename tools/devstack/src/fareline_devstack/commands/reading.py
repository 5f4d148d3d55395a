"""What several commands ask about a running system."""

from fareline_devstack.layout import Layout
from fareline_devstack.state import LeftRunning


def still_running(layout: Layout) -> list[str]:
    """Return the names of what an earlier `up` left and still runs; containers are taken at their word."""
    left = LeftRunning.read(layout.state_file)
    if left is None:
        return []
    processes = [process.name for process in left.processes if process.running]
    return [*(container.name for container in left.containers), *processes]
