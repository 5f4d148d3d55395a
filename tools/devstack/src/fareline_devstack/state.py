"""`stack.json`: which processes and containers were left running, so that a later command finds and ends them."""

import json
import shutil
import signal
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path

from fareline_devstack.containers import remove_container
from fareline_devstack.processes import Child, birth_mark, stop_by_pid

STOP_SECONDS = 20.0


@dataclass(frozen=True, slots=True)
class Left:
    """A process left running: `mark` tells it from another one that got its number, `signal` ends it in good order."""

    name: str
    pid: int
    mark: str
    signal: int
    address: str
    log: str

    @classmethod
    def of(cls, name: str, child: Child, address: str) -> "Left":
        """Describe a running child of ours."""
        command = child.command
        mark = birth_mark(child.pid) or ""
        return cls(name, child.pid, mark, int(command.stop_signal), address, str(command.log_file))

    @property
    def running(self) -> bool:
        """Whether that very process still runs."""
        return birth_mark(self.pid) == self.mark


@dataclass(frozen=True, slots=True)
class LeftContainer:
    """A container left running, by the engine's id."""

    name: str
    container_id: str
    address: str


@dataclass(frozen=True, slots=True)
class LeftRunning:
    """Everything that `up` left behind, in the order it was started; `folder` holds the servers' data."""

    folder: str | None
    processes: list[Left] = field(default_factory=list)
    containers: list[LeftContainer] = field(default_factory=list)

    def write(self, path: Path) -> None:
        """Save it."""
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(asdict(self), indent=1) + "\n")

    @classmethod
    def read(cls, path: Path) -> "LeftRunning | None":
        """Return what `path` says, None where it does not exist."""
        if not path.exists():
            return None
        document = json.loads(path.read_text())
        return cls(
            folder=document["folder"],
            processes=[Left(**entry) for entry in document["processes"]],
            containers=[LeftContainer(**entry) for entry in document["containers"]],
        )

    def stop_all(self, on_step: Callable[[str], None]) -> None:
        """End everything, what was started last first, and remove the servers' data."""
        for left in reversed(self.processes):
            on_step(f"Stopping {left.name}")
            stop_by_pid(left.pid, left.mark, number=signal.Signals(left.signal), seconds=STOP_SECONDS)
        for container in reversed(self.containers):
            on_step(f"Removing the container of {container.name}")
            remove_container(container.container_id)
        if self.folder:
            shutil.rmtree(self.folder, ignore_errors=True)
