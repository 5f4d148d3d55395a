"""Kafka and PostgreSQL together: started, described, stopped."""

from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

from fareline_devstack import containers
from fareline_devstack.ports import Ports
from fareline_devstack.postgres.durability import Durability
from fareline_devstack.processes import Lifetime
from fareline_devstack.progress import OnStep, silent
from fareline_devstack.scratch import Scratch
from fareline_devstack.servers import Server
from fareline_devstack.variants import Builder, Variant, choose_variant, prepare


@dataclass(frozen=True, slots=True)
class StackInfo:
    """Where clients find the two: Kafka's bootstrap servers, and the DSN of PostgreSQL's superuser."""

    kafka_bootstrap: str
    postgres_dsn: str


class Stack:
    """A context manager around a real Kafka and a real PostgreSQL, by Docker or natively.

    `on_step` hears what is being done, one short sentence at a time. `logs` is where the servers' logs go (natively);
    without it they lie with the data and go with it. Start it from the thread that outlives it (see `Child`).
    """

    def __init__(
        self,
        *,
        lifetime: Lifetime = Lifetime.WITH_PARENT,
        durability: Durability = Durability.PROCESS,
        ports: Ports | None = None,
        logs: Path | None = None,
        on_step: OnStep = silent,
    ) -> None:
        self._lifetime = lifetime
        self._durability = durability
        self._ports = ports
        self._logs = logs
        self._on_step = on_step
        self._scratch: Scratch | None = None
        self.kafka: Server | None = None
        self.postgres: Server | None = None

    def __enter__(self) -> StackInfo:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def folder(self) -> Path | None:
        """Where the servers keep their data, None when nothing was started."""
        return self._scratch.path if self._scratch else None

    def start(self) -> StackInfo:
        """Start both and wait until they answer; on any failure nothing stays behind.

        Raises `StackUnavailable` where this machine can run neither variant, `DevstackError` for anything else.
        """
        variant = choose_variant(docker_ready=lambda: containers.ready(self._on_step))
        prepare(variant, on_step=self._on_step)
        self._scratch = Scratch(kept=self._lifetime is Lifetime.DETACHED)
        try:
            return self._start_servers(self._builder(variant, self._scratch.path))
        except BaseException:
            self.stop(quietly=True)
            raise

    def stop(self, *, quietly: bool = False) -> None:
        """End both and remove their data, `quietly` without a word to `on_step`; harmless the second time."""
        for server in (self.kafka, self.postgres):
            if server is not None:
                (silent if quietly else self._on_step)(f"Stopping {server.name}")
                server.stop()
        self.kafka = self.postgres = None
        if self._scratch is not None:
            self._scratch.remove()
            self._scratch = None

    def _builder(self, variant: Variant, folder: Path) -> Builder:
        return Builder(
            variant=variant,
            folder=folder,
            logs=self._logs or folder,
            lifetime=self._lifetime,
            durability=self._durability,
            ports=self._ports or Ports.from_environment(),
        )

    def _start_servers(self, builder: Builder) -> StackInfo:
        how = "in Docker" if builder.variant is Variant.DOCKER else "natively"
        self._on_step(f"Starting PostgreSQL {how}")
        self.postgres = builder.postgres()
        dsn = self.postgres.start()
        self._on_step(f"Starting Kafka {how}")
        self.kafka = builder.kafka()
        return StackInfo(kafka_bootstrap=self.kafka.start(), postgres_dsn=dsn)
