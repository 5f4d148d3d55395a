"""One service as a process: started, awaited by its health endpoint, stopped, and mistreated by fault tests."""

import subprocess
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

import httpx

from fareline_devstack.errors import ProcessFailed
from fareline_devstack.processes import Child, Command, Lifetime, log_hint

STARTUP_PATH = "/health/startup"
READY_PATH = "/health/ready"
START_SECONDS = 60.0
STOP_SECONDS = 20.0
MIGRATE_SECONDS = 60.0
PROBE_SECONDS = 2.0
POLL_SECONDS = 0.1


class ServiceProcess:
    """A service at `url`, run as `argv` with exactly `env`; its output is appended to `log_file`.

    It may be started again after `stop` or `kill`. Start it from a thread that outlives it (see `Child`).
    """

    def __init__(
        self,
        *,
        name: str,
        argv: Sequence[str],
        env: Mapping[str, str],
        log_file: Path,
        url: str,
        lifetime: Lifetime = Lifetime.WITH_PARENT,
    ) -> None:
        self.name = name
        self.url = url
        self.log_file = log_file
        self._command = Command(name=name, argv=argv, environment=env, log_file=log_file)
        self._lifetime = lifetime
        self._child: Child | None = None

    @property
    def child(self) -> Child:
        """The process; raises `ProcessFailed` where none was started."""
        if self._child is None:
            raise ProcessFailed(f"{self.name} was not started")
        return self._child

    @property
    def running(self) -> bool:
        """Whether it was started and has not ended."""
        return self._child is not None and self._child.running

    def start(self) -> None:
        """Start it and return at once."""
        if not self.running:
            self._child = Child(self._command, self._lifetime)

    def wait_started(self, seconds: float = START_SECONDS) -> None:
        """Return once `/health/startup` says 200; raise `ProcessFailed` naming the log when it ends or does not."""
        deadline = time.monotonic() + seconds
        while not healthy(self.url, STARTUP_PATH):
            self.child.require_running()
            if time.monotonic() > deadline:
                raise ProcessFailed(f"{self.name} did not come up in {seconds:.0f} s; {log_hint(self.log_file)}")
            time.sleep(POLL_SECONDS)

    def stop(self, seconds: float = STOP_SECONDS) -> int | None:
        """Send SIGTERM, after `seconds` SIGKILL; return the exit code, None where it was never started."""
        return None if self._child is None else self._child.stop(seconds)

    def kill(self) -> None:
        """Send SIGKILL and wait until it is gone."""
        self.child.kill()

    def freeze(self) -> None:
        """Let it keep its connections and do nothing, as a machine that hangs."""
        self.child.freeze()

    def resume(self) -> None:
        """Undo `freeze`."""
        self.child.resume()


def healthy(url: str, path: str) -> bool:
    """Whether GET `url``path` answers 200 in time."""
    try:
        with httpx.Client(trust_env=False, timeout=PROBE_SECONDS) as client:
            return client.get(f"{url}{path}").status_code == httpx.codes.OK
    except httpx.HTTPError:
        return False


def run_to_end(*, name: str, argv: Sequence[str], env: Mapping[str, str], log_file: Path) -> None:
    """Run a command of a service (such as `migrate`) until it ends; raise `ProcessFailed` unless it ends well."""
    log_file.parent.mkdir(parents=True, exist_ok=True)
    with log_file.open("ab") as log:
        try:
            done = subprocess.run(  # noqa: S603 - our own services
                argv, env=env, stdin=subprocess.DEVNULL, stdout=log, stderr=log, timeout=MIGRATE_SECONDS, check=False
            )
        except subprocess.TimeoutExpired as late:
            raise ProcessFailed(f"{name} did not end in {MIGRATE_SECONDS:.0f} s; {log_hint(log_file)}") from late
    if done.returncode != 0:
        raise ProcessFailed(f"{name} ended with exit code {done.returncode}; {log_hint(log_file)}")
