"""PostgreSQL as a process of this machine, from the binaries of a Python wheel."""

import os
import pwd
import shutil
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from fareline_devstack.errors import DevstackError
from fareline_devstack.ports import HOST, Ports
from fareline_devstack.postgres.durability import Durability
from fareline_devstack.postgres.probe import wait_for_postgres
from fareline_devstack.postgres.wheel import copy_programs, wheel_programs
from fareline_devstack.processes import TETHER, Child, Command, Lifetime
from fareline_devstack.scratch import open_to_all

UNPRIVILEGED = ("postgres", "nobody")
START_SECONDS = 30.0
STOP_SECONDS = 10.0
SETTINGS = (
    "max_connections=300",
    "shared_buffers=64MB",
    "timezone=UTC",
    "log_timezone=UTC",
    "unix_socket_directories=",
)


class NativePostgres:
    """One server whose data lives in `folder`. It keeps its port and data over `stop()` and another `start()`."""

    name = "postgres"

    def __init__(
        self,
        *,
        folder: Path,
        ports: Ports,
        lifetime: Lifetime,
        durability: Durability,
        log_file: Path | None = None,
    ) -> None:
        self._folder = folder
        self._lifetime = lifetime
        self._durability = durability
        self._port = ports.take("PostgreSQL")
        self._user = unprivileged_user()
        self.log_file = log_file or folder / "postgres.log"
        self.process: Child | None = None

    @property
    def address(self) -> str:
        """The DSN of the superuser, whether the server runs or not."""
        return f"postgresql://postgres@{HOST}:{self._port}/postgres"

    def start(self) -> str:
        """Start it, wait until it answers, return the superuser's DSN."""
        self._folder.mkdir(parents=True, exist_ok=True)
        programs = self._programs()
        data = self._folder / "data"
        if not (data / "PG_VERSION").exists():
            self._initialise(programs / "initdb", data)
        self.process = Child(self._command(programs / "postgres", data), self._lifetime)
        try:
            wait_for_postgres(self.address, self.process, seconds=START_SECONDS)
        except BaseException:
            self.process.kill()
            raise
        return self.address

    def stop(self) -> None:
        """End it in good order without waiting for clients; the data stays."""
        if self.process is not None:
            self.process.stop(STOP_SECONDS)

    def _command(self, program: Path, data: Path) -> Command:
        options = [f"-c{setting}" for setting in (*SETTINGS, *self._durability.settings)]
        return Command(
            name="PostgreSQL",
            argv=[str(program), "-D", str(data), "-h", HOST, "-p", str(self._port), *options],
            log_file=self.log_file,
            folder=self._folder,
            user=self._user,
            stop_signal=signal.SIGINT,
            death_signal=signal.SIGQUIT,  # the postmaster cleans its shared memory and takes its children along
        )

    def _initialise(self, initdb: Path, data: Path) -> None:
        data.mkdir(mode=0o700)
        if self._user is not None:
            shutil.chown(data, self._user, pwd.getpwnam(self._user).pw_gid)
        options = ["-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync", "-D", str(data)]
        self._run_as_server([str(initdb), *options])

    def _run_as_server(self, argv: Sequence[str]) -> None:
        prefix = [sys.executable, "-I", "-S", str(TETHER), str(os.getpid()), "0", self._user or "-"]
        done = subprocess.run(  # noqa: S603 - the wheel's own initdb
            [*prefix, *argv], capture_output=True, text=True, check=False, cwd=self._folder
        )
        if done.returncode != 0:
            raise DevstackError(f"PostgreSQL could not be initialised:\n{(done.stdout + done.stderr).strip()[-800:]}")

    def _programs(self) -> Path:
        """Return the folder of binaries; a copy of them where the server's account may not read the wheel's."""
        programs = wheel_programs()
        if self._user is None or open_to_all(programs):
            return programs
        return copy_programs(self._folder / "server")


def unprivileged_user() -> str | None:
    """Return the account to run the server as: None for our own, another when we are root, which it refuses."""
    if os.geteuid() != 0:
        return None
    for name in UNPRIVILEGED:
        try:
            return pwd.getpwnam(name).pw_name
        except KeyError:
            continue
    raise DevstackError("PostgreSQL refuses to run as root and this machine has no account 'nobody': run as a user")
