"""Processes on this machine: started with a log file, watched, frozen, stopped; tied to us or left running."""

import enum
import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from fareline_devstack.errors import ProcessFailed
from fareline_devstack.waiting import wait_until

TETHER = Path(__file__).with_name("tether.py")
KILL_SECONDS = 10.0
PROC = Path("/proc")


class Lifetime(enum.Enum):
    """How long a process may live: `WITH_PARENT` even a SIGKILL of us ends it, `DETACHED` it outlives us."""

    WITH_PARENT = "with-parent"
    DETACHED = "detached"


@dataclass(frozen=True, slots=True)
class Command:
    """What to run. `stop_signal` asks it to end in good order, `death_signal` is what it gets when we die."""

    name: str
    argv: Sequence[str]
    log_file: Path
    environment: Mapping[str, str] | None = None
    folder: Path | None = None
    user: str | None = None
    stop_signal: signal.Signals = signal.SIGTERM
    death_signal: signal.Signals = signal.SIGKILL


class Child:
    """A running process of ours, leader of its own process group.

    With `Lifetime.WITH_PARENT` it is tied to the *thread* that started it: start it from one that lives long enough.
    """

    def __init__(self, command: Command, lifetime: Lifetime) -> None:
        self.command = command
        self._popen = _spawn(command, lifetime)

    @property
    def pid(self) -> int:
        """The process id."""
        return self._popen.pid

    @property
    def running(self) -> bool:
        """Whether it has not ended yet."""
        return self._popen.poll() is None

    @property
    def exit_code(self) -> int | None:
        """Its exit code, minus the signal that ended it, or None while it runs."""
        return self._popen.poll()

    def require_running(self) -> None:
        """Raise `ProcessFailed` with the end of its log if it has ended."""
        if (code := self.exit_code) is not None:
            raise ProcessFailed(f"{self.command.name} ended with exit code {code}; {log_hint(self.command.log_file)}")

    def stop(self, seconds: float = 10.0) -> int:
        """Ask it to end, kill it after `seconds`; return the exit code. Harmless when it has ended."""
        if self.running:
            self.send(signal.SIGCONT)
            self.send(self.command.stop_signal)
            try:
                return self._popen.wait(seconds)
            except subprocess.TimeoutExpired:
                pass
        return self.kill()

    def kill(self) -> int:
        """End it and whatever it started, at once; return the exit code."""
        _signal_group(self.pid, signal.SIGKILL)
        return self._popen.wait(KILL_SECONDS)

    def freeze(self) -> None:
        """Stop the clock for it: it keeps its sockets and answers nothing (SIGSTOP)."""
        self.send(signal.SIGSTOP)

    def resume(self) -> None:
        """Let it go on after `freeze`."""
        self.send(signal.SIGCONT)

    def send(self, number: signal.Signals) -> None:
        """Send one signal to the process itself, if it still runs."""
        self._popen.send_signal(number)


def _spawn(command: Command, lifetime: Lifetime) -> subprocess.Popen[bytes]:
    tied = lifetime is Lifetime.WITH_PARENT
    number = int(command.death_signal) if tied else 0
    prefix = [sys.executable, "-I", "-S", str(TETHER), str(os.getpid()), str(number), command.user or "-"]
    command.log_file.parent.mkdir(parents=True, exist_ok=True)
    with command.log_file.open("ab") as log:
        return subprocess.Popen(  # noqa: S603 - programs that the devstack chose
            [*prefix, *command.argv],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            env=command.environment,
            cwd=command.folder,
            start_new_session=True,
        )


def _signal_group(leader: int, number: signal.Signals) -> None:
    try:
        os.killpg(leader, number)
    except (ProcessLookupError, PermissionError):
        return


def log_hint(log_file: Path, lines: int = 8) -> str:
    """Return a sentence that names a log file and quotes its last lines."""
    try:
        tail = log_file.read_text(errors="replace").splitlines()[-lines:]
    except OSError:
        tail = []
    return f"see {log_file}" + "".join(f"\n    {line}" for line in tail)


def birth_mark(pid: int) -> str | None:
    """Return when process `pid` was started, in the system's own terms, or None when it does not run.

    A process id with another mark is another process: numbers are used again.
    """
    if PROC.is_dir():
        try:
            fields = (PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()
        except OSError:
            return None
        return None if fields[0] in {"Z", "X"} else fields[19]
    found = subprocess.run(["ps", "-o", "lstart=", "-p", str(pid)], capture_output=True, text=True, check=False)  # noqa: S603, S607
    return found.stdout.strip() or None


def stop_by_pid(pid: int, mark: str, *, number: signal.Signals, seconds: float) -> bool:
    """Stop a process that some earlier command left running; return False if `pid` is not that process any more."""
    if birth_mark(pid) != mark:
        return False
    os.kill(pid, signal.SIGCONT)
    os.kill(pid, number)
    if not wait_until(lambda: birth_mark(pid) != mark, seconds=seconds):
        _signal_group(pid, signal.SIGKILL)
        wait_until(lambda: birth_mark(pid) != mark, seconds=KILL_SECONDS)
    return True
