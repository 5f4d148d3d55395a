"""Apache Kafka as a process of this machine: one KRaft node on a JDK."""

import os
import subprocess
from collections.abc import Mapping
from functools import reduce
from importlib import resources
from pathlib import Path

from fareline_devstack.errors import DevstackError
from fareline_devstack.kafka.artifacts import ensure_jars, find_java
from fareline_devstack.kafka.probe import wait_for_kafka
from fareline_devstack.kafka.server_properties import Listener, as_file, server_properties, with_listener
from fareline_devstack.ports import HOST, Ports
from fareline_devstack.processes import Child, Command, Lifetime

# half the default heap is plenty for a few hundred partitions; the cheap compiler and collector halve the start
JVM_OPTIONS = ("-Xmx512m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-XX:-UsePerfData")
START_SECONDS = 60.0
STOP_SECONDS = 15.0
CLUSTER_ID = "ZmFyZWxpbmUtZGV2c3RhYw"


class NativeKafka:
    """One Kafka node whose data lives in `folder`. It keeps its port and data over `stop()` and another `start()`.

    `listeners` and `properties`, Kafka's own beside ours, may be added to before the start.
    """

    name = "kafka"

    def __init__(
        self,
        *,
        folder: Path,
        ports: Ports,
        lifetime: Lifetime,
        log_file: Path | None = None,
        environment: Mapping[str, str] = os.environ,
    ) -> None:
        self._folder = folder
        self._lifetime = lifetime
        self._environment = environment
        self._port = ports.take("Kafka")
        self._controller_port = ports.take("Kafka's controller")
        self.log_file = log_file or folder / "kafka.log"
        self.process: Child | None = None
        self.listeners: list[Listener] = []
        self.properties: dict[str, str] = {}

    @property
    def address(self) -> str:
        """Bootstrap servers, whether it runs or not."""
        return f"{HOST}:{self._port}"

    def start(self) -> str:
        """Start it, wait until it answers clients, return the bootstrap servers."""
        java = find_java(self._environment)
        jars = ensure_jars(self._environment)
        self._folder.mkdir(parents=True, exist_ok=True)
        properties = self._write_properties()
        launcher = self._launcher(java, jars)
        if not (self._folder / "data" / "meta.properties").exists():
            self._format(launcher, properties)
        command = Command(name="Kafka", argv=[*launcher, "kafka.Kafka", str(properties)], log_file=self.log_file)
        self.process = Child(command, self._lifetime)
        try:
            wait_for_kafka(self.address, self.process, seconds=START_SECONDS)
        except BaseException:
            self.process.kill()
            raise
        return self.address

    def stop(self) -> None:
        """End it in good order, by force after some seconds; the data stays."""
        if self.process is not None:
            self.process.stop(STOP_SECONDS)

    def _launcher(self, java: Path, jars: Path) -> list[str]:
        logging = self._folder / "log4j2.properties"
        logging.write_text(resources.files("fareline_devstack.kafka").joinpath("log4j2.properties").read_text())
        return [str(java), *JVM_OPTIONS, f"-Dlog4j2.configurationFile={logging}", "-cp", f"{jars}/*"]

    def _write_properties(self) -> Path:
        file = self._folder / "server.properties"
        plain = server_properties(
            listen_host=HOST,
            advertised=HOST,
            port=self._port,
            controller_port=self._controller_port,
            data=self._folder / "data",
        )
        file.write_text(as_file(reduce(with_listener, self.listeners, plain | self.properties)))
        return file

    def _format(self, launcher: list[str], properties: Path) -> None:
        argv = [*launcher, "kafka.tools.StorageTool", "format", "-t", CLUSTER_ID, "-c", str(properties)]
        done = subprocess.run(argv, capture_output=True, text=True, check=False)  # noqa: S603 - the JDK found above
        if done.returncode != 0:
            said = "\n".join((done.stdout + done.stderr).strip().splitlines()[-5:])
            raise DevstackError(f"Kafka's storage could not be formatted:\n{said}")
