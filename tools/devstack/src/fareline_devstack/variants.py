"""Docker or native: which of the two this machine gets, and the servers made accordingly."""

import enum
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from fareline_devstack import containers
from fareline_devstack.errors import DevstackError, StackUnavailable
from fareline_devstack.kafka.artifacts import ensure_jars, fetched, require_tools
from fareline_devstack.kafka.native import NativeKafka
from fareline_devstack.ports import Ports
from fareline_devstack.postgres.durability import Durability
from fareline_devstack.postgres.native import NativePostgres
from fareline_devstack.processes import Lifetime
from fareline_devstack.progress import OnStep, silent
from fareline_devstack.servers import Server

VARIABLE = "FARELINE_STACK"
NO_ENGINE = (
    "FARELINE_STACK=docker, but no Docker engine with the images answers: start one, or unset it to run natively."
)


class Variant(enum.Enum):
    """How Kafka and PostgreSQL are run."""

    DOCKER = "docker"
    NATIVE = "native"


def choose_variant(
    environment: Mapping[str, str] = os.environ, *, docker_ready: Callable[[], bool] = containers.ready
) -> Variant:
    """Return what `FARELINE_STACK` says; unset: Docker if an engine answers and has or gets the images, else native.

    Raises `StackUnavailable` where Docker is forced and not there, `DevstackError` for any other value.
    """
    wanted = environment.get(VARIABLE, "")
    if wanted not in {"", *(variant.value for variant in Variant)}:
        raise DevstackError(f"{VARIABLE} must be docker or native, not {wanted!r}")
    if wanted == Variant.NATIVE.value:
        return Variant.NATIVE
    if docker_ready():
        return Variant.DOCKER
    if wanted == Variant.DOCKER.value:
        raise StackUnavailable(NO_ENGINE)
    return Variant.NATIVE


def prepare(variant: Variant, environment: Mapping[str, str] = os.environ, on_step: OnStep = silent) -> None:
    """Fetch what the variant needs and has not got yet; raise `StackUnavailable` where it cannot run here."""
    if variant is Variant.DOCKER:
        return
    require_tools(environment)
    if not fetched(environment):
        on_step("Fetching Apache Kafka by Maven (once, about 50 MB)")
        ensure_jars(environment)


def require_machine(environment: Mapping[str, str] = os.environ) -> None:
    """Raise `StackUnavailable` where this machine can run neither variant; fetches and starts nothing natively."""
    if choose_variant(environment) is Variant.NATIVE:
        require_tools(environment)


@dataclass(frozen=True, slots=True)
class Builder:
    """Makes servers, not yet started, whose data lives below `folder` and whose logs are in `logs`."""

    variant: Variant
    folder: Path
    logs: Path
    lifetime: Lifetime = Lifetime.WITH_PARENT
    durability: Durability = Durability.NONE
    ports: Ports = field(default_factory=Ports)

    def kafka(self) -> Server:
        """Return a Kafka of one node."""
        if self.variant is Variant.DOCKER:
            return containers.DockerKafka(port=self.ports.take("Kafka"), lifetime=self.lifetime)
        return self.native_kafka("kafka")

    def postgres(self) -> Server:
        """Return a PostgreSQL server."""
        if self.variant is Variant.DOCKER:
            port = self.ports.take("PostgreSQL")
            return containers.DockerPostgres(port=port, lifetime=self.lifetime, durability=self.durability)
        return self.native_postgres("postgres")

    def native_kafka(self, name: str) -> NativeKafka:
        """Return a Kafka as a process, whatever the variant: for tests that stop, freeze and restart it."""
        return NativeKafka(
            folder=self.folder / name, ports=self.ports, lifetime=self.lifetime, log_file=self.logs / f"{name}.log"
        )

    def native_postgres(self, name: str) -> NativePostgres:
        """Return a PostgreSQL as a process, whatever the variant."""
        return NativePostgres(
            folder=self.folder / name,
            ports=self.ports,
            lifetime=self.lifetime,
            durability=self.durability,
            log_file=self.logs / f"{name}.log",
        )
