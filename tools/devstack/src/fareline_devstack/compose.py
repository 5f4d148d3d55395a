"""Fareline in containers, by the repository's own docker-compose.yml: up, hurt, asked, down."""

import json
import os
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from fareline_devstack.errors import DevstackError, StackUnavailable
from fareline_devstack.layout import DEMO_TOKEN
from fareline_devstack.ports import HOST, Ports
from fareline_devstack.progress import OnStep, silent
from fareline_devstack.services.catalogue import CALL_ROUTER, ORDER_BINDER, RECORDING_INGEST
from fareline_devstack.services.process import READY_PATH, healthy
from fareline_devstack.system import SystemInfo
from fareline_devstack.waiting import wait_until

HOST_SEEN_FROM_INSIDE = "host.docker.internal"
NO_ENGINE = "no Docker engine with compose answers: install one, or use `make demo`, which needs none"
LAST_ONE_SHOT = "demo-tenants"
UP_SECONDS = 600
READY_SECONDS = 120.0
HEALTHY_SECONDS = 300.0
PORT_VARIABLES = {
    CALL_ROUTER.name: "FARELINE_ROUTER_PORT",
    ORDER_BINDER.name: "FARELINE_BINDER_PORT",
    RECORDING_INGEST.name: "FARELINE_INGEST_PORT",
    "kafka": "FARELINE_KAFKA_PORT",
}


def compose_command() -> list[str]:
    """Return how compose is called here, plugin or program; raise `StackUnavailable` where no engine answers."""
    for words in (["docker", "compose"], ["docker-compose"]):
        if shutil.which(words[0]) and _works([*words, "version"]) and _works(["docker", "info"]):
            return words
    raise StackUnavailable(NO_ENGINE)


def _works(words: Sequence[str]) -> bool:
    done = subprocess.run(words, stdin=subprocess.DEVNULL, capture_output=True, timeout=30, check=False)  # noqa: S603
    return done.returncode == 0


@dataclass(slots=True)
class ComposeSystem:
    """A context manager around `docker compose up` and `down --volumes`, as a project of its own on free ports.

    `environment` is for the variables of docker-compose.yml. Raises `StackUnavailable` without an engine and
    `DevstackError` with the last words of whatever does not come up.
    """

    root: Path
    project: str
    environment: Mapping[str, str] = field(default_factory=dict)
    on_step: OnStep = silent
    ports: dict[str, int] = field(default_factory=dict)
    _command: list[str] = field(default_factory=list)

    def __enter__(self) -> Self:
        self._command = compose_command()
        free = Ports.from_environment()
        self.ports = {name: free.take(name) for name in PORT_VARIABLES}
        try:
            self.on_step("Starting Kafka, Postgres and the services in containers")
            self.run("up", "--detach", seconds=UP_SECONDS)
            self.on_step("Waiting for them")
            self._wait_ready()
        except BaseException as failed:
            said = self.logs()
            self.down()
            if isinstance(failed, DevstackError):
                raise DevstackError(f"{failed}\n{said[-6000:]}") from failed
            raise
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.on_step("Removing the containers")
        self.down()

    @property
    def info(self) -> SystemInfo:
        """Where everything is, seen from this machine; Postgres is only reached from inside."""
        return SystemInfo(
            kafka_bootstrap=f"localhost:{self.ports['kafka']}",
            database_url="",
            topic_prefix="",
            order_binder_url=self.url(ORDER_BINDER.name),
            call_router_url=self.url(CALL_ROUTER.name),
            recording_ingest_url=self.url(RECORDING_INGEST.name),
            token=DEMO_TOKEN,
        )

    def url(self, service: str) -> str:
        """Return where a service listens on this machine."""
        return f"http://{HOST}:{self.ports[service]}"

    def run(self, *words: str, seconds: float = 60) -> str:
        """Run a command of compose in this project and return its output; raise `DevstackError` where it fails."""
        return _run([*self._command, "--project-name", self.project, *words], self.root, self._variables(), seconds)

    def engine(self, *words: str, seconds: float = 60) -> str:
        """Run a command of the engine, such as `kill` or `start` with `container(…)`."""
        return _run(["docker", *words], self.root, self._variables(), seconds)

    def container(self, service: str) -> str:
        """Return the id of a service's container, running or not."""
        return self.run("ps", "--all", "--quiet", service).split()[0]

    def state(self, service: str) -> dict[str, Any]:
        """Return what the engine knows of a service's container, as of `docker inspect`."""
        return dict(json.loads(self.engine("inspect", self.container(service)))[0])

    def revive(self, service: str) -> None:
        """Start a container that was killed and return once it is healthy; raise `DevstackError` in time."""
        container = self.container(service)
        self.engine("start", container)
        if not wait_until(lambda: self._healthy(service), seconds=HEALTHY_SECONDS, poll=0.5):
            raise DevstackError(f"{service} was not healthy again within {HEALTHY_SECONDS:.0f} s")

    def logs(self) -> str:
        """Return the last lines of every container."""
        return self.run("logs", "--no-color", "--tail", "40")

    def down(self) -> None:
        """Stop and remove the project's containers, networks and volumes."""
        self.run("down", "--volumes", "--timeout", "60", "--remove-orphans", seconds=180)

    def wait_ready(self, service: str, seconds: float = READY_SECONDS) -> None:
        """Return once the service says that it is ready; raise `DevstackError` in time."""
        if not wait_until(lambda: healthy(self.url(service), READY_PATH), seconds=seconds):
            raise DevstackError(f"{service} was not ready within {seconds:.0f} s")

    def _wait_ready(self) -> None:
        if not wait_until(self._loaded, seconds=READY_SECONDS, poll=0.5):
            raise DevstackError("the demo's tenants were not loaded")
        for service in (CALL_ROUTER, ORDER_BINDER, RECORDING_INGEST):
            self.wait_ready(service.name)

    def _healthy(self, service: str) -> bool:
        return bool(self.state(service)["State"]["Health"]["Status"] == "healthy")

    def _loaded(self) -> bool:
        state = self.state(LAST_ONE_SHOT)["State"]
        return bool(state["Status"] == "exited" and state["ExitCode"] == 0)

    def _variables(self) -> dict[str, str]:
        numbers = {PORT_VARIABLES[name]: str(port) for name, port in self.ports.items() if name in PORT_VARIABLES}
        return {**os.environ, **numbers, **self.environment}


def _run(words: Sequence[str], folder: Path, environment: Mapping[str, str], seconds: float) -> str:
    try:
        done = subprocess.run(  # noqa: S603 - docker, with our own words
            words,
            cwd=folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=seconds,
            check=False,
        )
    except subprocess.TimeoutExpired as late:
        raise DevstackError(f"`{' '.join(words)}` did not end in {seconds:.0f} s") from late
    if done.returncode != 0:
        raise DevstackError(f"`{' '.join(words)}` failed:\n{done.stderr[-3000:]}")
    return done.stdout
