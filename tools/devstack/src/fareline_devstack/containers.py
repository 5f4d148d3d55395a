"""Kafka and PostgreSQL in containers, by testcontainers."""

import contextlib
import gc
import warnings
from collections.abc import Sequence
from typing import Any

from docker.errors import DockerException
from testcontainers.community.postgres import PostgresContainer
from testcontainers.core.config import testcontainers_config
from testcontainers.core.container import DockerContainer
from testcontainers.core.docker_client import DockerClient
from testcontainers.core.wait_strategies import LogMessageWaitStrategy

from fareline_devstack.errors import DevstackError
from fareline_devstack.kafka.artifacts import kafka_version
from fareline_devstack.kafka.probe import answers
from fareline_devstack.kafka.server_properties import as_container_environment, server_properties
from fareline_devstack.postgres.durability import Durability
from fareline_devstack.processes import Lifetime
from fareline_devstack.progress import OnStep, silent
from fareline_devstack.waiting import wait_until

KAFKA_IMAGE = f"apache/kafka:{kafka_version()}"
POSTGRES_IMAGE = "postgres:18"
CONTROLLER_PORT = 9093
POSTGRES_PORT = 5432
PASSWORD = "postgres"  # noqa: S105 - of a throwaway server on the loopback interface
ENGINE_SECONDS = 5
START_SECONDS = 60.0
STARTED = "Kafka Server started"


def ready(on_step: OnStep = silent) -> bool:
    """Whether a Docker engine answers and has both images, or can get them (which takes a while the first time)."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)  # the client forgets its socket when nobody answers
        try:
            return _has_images(on_step)
        finally:
            gc.collect()


def _has_images(on_step: OnStep) -> bool:
    try:
        DockerClient(timeout=ENGINE_SECONDS).client.ping()
        client = DockerClient().client
        for image in (KAFKA_IMAGE, POSTGRES_IMAGE):
            if not client.images.list(name=image):
                on_step(f"Fetching the image {image}")
                client.images.pull(image)
    except (DockerException, OSError):
        return False
    return True


class _Container:
    """What both have in common. `stop` ends the container and its data with it."""

    name = "container"

    def __init__(self, container: DockerContainer, lifetime: Lifetime) -> None:
        self._container = container
        self._lifetime = lifetime
        self._running = False

    @property
    def container_id(self) -> str:
        """The engine's id of the running container."""
        return str(self._container.get_wrapped_container().id)

    def stop(self) -> None:
        """Remove the container; harmless when it does not run."""
        if self._running:
            self._running = False
            self._container.stop()

    def _start(self) -> None:
        # testcontainers' reaper removes containers when this process ends: not wanted for those that stay
        testcontainers_config.ryuk_disabled = self._lifetime is Lifetime.DETACHED
        try:
            self._container.start()
        except (DockerException, OSError, TimeoutError) as refused:
            raise DevstackError(f"Docker did not start {self.name}: {refused}") from refused
        self._running = True


class DockerKafka(_Container):
    """The official image. Clients are sent to the advertised port, so that it is fixed on both sides."""

    name = "kafka"

    def __init__(self, *, port: int, lifetime: Lifetime) -> None:
        host = DockerClient().host()
        self.address = f"{host}:{port}"
        properties = server_properties(
            listen_host="0.0.0.0",  # noqa: S104 - inside the container
            advertised=host,
            port=port,
            controller_port=CONTROLLER_PORT,
            data="/tmp/kafka-data",  # noqa: S108 - inside the container
        )
        container = DockerContainer(KAFKA_IMAGE).with_envs(**as_container_environment(properties))
        container.with_bind_ports(port, port).waiting_for(LogMessageWaitStrategy(STARTED))
        super().__init__(container, lifetime)

    def start(self) -> str:
        """Start it, wait until it answers, return the bootstrap servers."""
        self._start()
        if not wait_until(lambda: answers(self.address), seconds=START_SECONDS):
            self.stop()
            raise DevstackError(f"Kafka's container started but did not answer at {self.address}")
        return self.address


class DockerPostgres(_Container):
    """The official image, with the same durability settings as the native variant."""

    name = "postgres"

    def __init__(self, *, port: int, lifetime: Lifetime, durability: Durability) -> None:
        database = PostgresContainer(
            POSTGRES_IMAGE, username="postgres", password=PASSWORD, dbname="postgres", driver=None
        )
        database.with_command(_server_options(("max_connections=300", *durability.settings)))
        database.with_bind_ports(POSTGRES_PORT, port)
        self.address = ""
        self._database = database
        super().__init__(database, lifetime)

    def start(self) -> str:
        """Start it, wait until it answers, return the superuser's DSN."""
        self._start()
        self.address = self._database.get_connection_url()
        return self.address


def _server_options(settings: Sequence[str]) -> list[str]:
    return ["postgres", *(f"-c{setting}" for setting in settings)]


def remove_container(container_id: str) -> None:
    """Remove a container that an earlier command left running; no error if it, or the engine, is gone."""
    with contextlib.suppress(DockerException, OSError):
        client: Any = DockerClient().client
        client.containers.get(container_id).remove(force=True, v=True)
