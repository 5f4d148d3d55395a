"""The whole of Fareline on this machine: Kafka, PostgreSQL, topics, schemas, three services, demo tenants."""

import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

from fareline_devstack.containers import DockerKafka, DockerPostgres
from fareline_devstack.demo_data import load_demo
from fareline_devstack.kafka.native import NativeKafka
from fareline_devstack.kafka.topics import create_topics, registry_specs
from fareline_devstack.layout import DEMO_TOKEN, Layout
from fareline_devstack.ports import Ports, require_free
from fareline_devstack.postgres.databases import create_database
from fareline_devstack.postgres.native import NativePostgres
from fareline_devstack.processes import Lifetime
from fareline_devstack.progress import OnStep, silent
from fareline_devstack.services.catalogue import (
    CALL_ROUTER,
    FIRST_PORT_VARIABLE,
    ORDER_BINDER,
    RECORDING_INGEST,
    SERVICES,
    Service,
    Surroundings,
    environment_of,
)
from fareline_devstack.services.process import ServiceProcess, run_to_end
from fareline_devstack.stack import Stack, StackInfo
from fareline_devstack.state import Left, LeftContainer, LeftRunning
from fareline_devstack.waiting import run_blocking

DATABASE = "fareline"


@dataclass(frozen=True, slots=True)
class SystemInfo:
    """Where everything is; URLs without a trailing slash."""

    kafka_bootstrap: str
    database_url: str
    topic_prefix: str
    order_binder_url: str
    call_router_url: str
    recording_ingest_url: str
    token: str

    def as_env(self) -> dict[str, str]:
        """Return it under the names of `stack.env`."""
        return {
            "KAFKA_BOOTSTRAP": self.kafka_bootstrap,
            "DATABASE_URL": self.database_url,
            "ORDER_BINDER_URL": self.order_binder_url,
            "CALL_ROUTER_URL": self.call_router_url,
            "RECORDING_INGEST_URL": self.recording_ingest_url,
            "FARELINE_TOKEN": self.token,
        }


class System:
    """A context manager around everything. `service_ports` by service name; without it the services get free ports.

    With `Lifetime.DETACHED` everything outlives us and `layout.state_file` says, from the first process on, what runs.
    """

    def __init__(
        self,
        layout: Layout,
        *,
        lifetime: Lifetime = Lifetime.WITH_PARENT,
        service_ports: Mapping[str, int] | None = None,
        accounts_file: Path | None = None,
        on_step: OnStep = silent,
    ) -> None:
        self._layout = layout
        self._lifetime = lifetime
        self._service_ports = service_ports
        self._accounts_file = accounts_file or layout.accounts_file
        self._on_step = on_step
        self._ports = Ports.from_environment()
        self.stack = Stack(lifetime=lifetime, ports=self._ports, logs=layout.logs, on_step=on_step)
        self.services: dict[str, ServiceProcess] = {}

    def __enter__(self) -> SystemInfo:
        return self.start()

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.stop()

    def start(self) -> SystemInfo:
        """Start everything and load the demo's tenants; on any failure stop what was started and raise.

        Raises `StackUnavailable`, `PortTaken` before anything starts, `ProcessFailed` naming a log, `DevstackError`.
        """
        ports = self._take_service_ports()
        shutil.rmtree(self._layout.logs, ignore_errors=True)
        shutil.rmtree(self._layout.data, ignore_errors=True)
        self._layout.data.mkdir(parents=True)
        try:
            told = self._prepare(self._start_stack(), ports)
            self._start_services(told)
            self._on_step("Loading the demo's tenants and numbers")
            load_demo(told.url(ORDER_BINDER), told.token, self._layout.demo)
        except BaseException:
            self.stop(quietly=True)
            raise
        return _describe(told)

    def stop(self, *, quietly: bool = False) -> None:
        """Stop everything, the services first, `quietly` without a word to `on_step`; harmless twice. Logs stay."""
        for service in reversed(self.services.values()):
            (silent if quietly else self._on_step)(f"Stopping {service.name}")
            service.stop()
        self.services = {}
        self.stack.stop(quietly=quietly)
        if self._lifetime is Lifetime.DETACHED:
            self._layout.state_file.unlink(missing_ok=True)

    def left_running(self) -> LeftRunning:
        """Return what runs now, in the order it was started."""
        folder = self.stack.folder
        left = LeftRunning(folder=str(folder) if folder else None)
        for server in (self.stack.postgres, self.stack.kafka):
            if isinstance(server, NativeKafka | NativePostgres) and server.process is not None:
                left.processes.append(Left.of(server.name, server.process, server.address))
            elif isinstance(server, DockerKafka | DockerPostgres):
                left.containers.append(LeftContainer(server.name, server.container_id, server.address))
        left.processes.extend(
            Left.of(service.name, service.child, service.url) for service in self.services.values() if service.running
        )
        return left

    def _take_service_ports(self) -> dict[str, int]:
        if self._service_ports is None:
            return {service.name: self._ports.take(service.name) for service in SERVICES}
        wanted = self._service_ports.items()
        return {name: require_free(port, name, variable=FIRST_PORT_VARIABLE) for name, port in wanted}

    def _start_stack(self) -> StackInfo:
        info = self.stack.start()
        self._remember()
        return info

    def _prepare(self, stack: StackInfo, ports: dict[str, int]) -> Surroundings:
        self._on_step("Creating topics")
        run_blocking(create_topics(stack.kafka_bootstrap, registry_specs()))
        told = Surroundings(
            kafka_bootstrap=stack.kafka_bootstrap,
            database_url=run_blocking(create_database(stack.postgres_dsn, DATABASE)),
            topic_prefix="",
            ports=ports,
            tokens_file=self._layout.tokens_file,
            accounts_file=self._accounts_file,
            token=DEMO_TOKEN,
            data=self._layout.data,
        )
        for service in SERVICES:
            if service.migrates:
                self._migrate(service, told)
        return told

    def _migrate(self, service: Service, told: Surroundings) -> None:
        self._on_step(f"Migrating the schema of {service.name}")
        run_to_end(
            name=f"{service.name} migrate",
            argv=service.argv("migrate"),
            env=environment_of(service, told),
            log_file=self._log_of(service),
        )

    def _start_services(self, told: Surroundings) -> None:
        for service in SERVICES:
            self._on_step(f"Starting {service.name}")
            self.services[service.name] = process = ServiceProcess(
                name=service.name,
                argv=service.argv("run"),
                env=environment_of(service, told),
                log_file=self._log_of(service),
                url=told.url(service),
                lifetime=self._lifetime,
            )
            process.start()
            self._remember()
        for process in self.services.values():
            self._on_step(f"Waiting for {process.name}")
            process.wait_started()

    def _log_of(self, service: Service) -> Path:
        return self._layout.logs / f"{service.name}.log"

    def _remember(self) -> None:
        if self._lifetime is Lifetime.DETACHED:
            self.left_running().write(self._layout.state_file)


def _describe(told: Surroundings) -> SystemInfo:
    return SystemInfo(
        kafka_bootstrap=told.kafka_bootstrap,
        database_url=told.database_url,
        topic_prefix=told.topic_prefix,
        order_binder_url=told.url(ORDER_BINDER),
        call_router_url=told.url(CALL_ROUTER),
        recording_ingest_url=told.url(RECORDING_INGEST),
        token=told.token,
    )
