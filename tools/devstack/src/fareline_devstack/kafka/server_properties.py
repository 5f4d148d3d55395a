"""The configuration of the one Kafka node: quick to start, quick to compact, strict about topics."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

# One replica of everything; consumer groups start at once; topics exist only when somebody created them;
# the cleaner looks for work five times a second, so that a test of compaction need not wait; small indexes,
# because each partition of each test preallocates its own.
FIXED: Mapping[str, str] = {
    "process.roles": "broker,controller",
    "node.id": "1",
    "controller.listener.names": "CONTROLLER",
    "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT",
    "auto.create.topics.enable": "false",
    "group.initial.rebalance.delay.ms": "0",
    "offsets.topic.replication.factor": "1",
    "offsets.topic.num.partitions": "1",
    "transaction.state.log.replication.factor": "1",
    "transaction.state.log.min.isr": "1",
    "transaction.state.log.num.partitions": "1",
    "share.coordinator.state.topic.replication.factor": "1",
    "share.coordinator.state.topic.min.isr": "1",
    "log.cleaner.backoff.ms": "200",
    "log.cleaner.dedupe.buffer.size": str(16 * 1024 * 1024),
    "log.index.size.max.bytes": str(256 * 1024),
}


@dataclass(frozen=True, slots=True)
class Listener:
    """A further listener, on loopback: its name, port and protocol (`SSL`, `SASL_SSL`, …), and how it is secured.

    `properties` are Kafka's own, without the prefix that names the listener.
    """

    name: str
    port: int
    protocol: str
    properties: Mapping[str, str]


def with_listener(properties: Mapping[str, str], listener: Listener) -> dict[str, str]:
    """Return `properties` with one more listener."""
    place = f"{listener.name}://127.0.0.1:{listener.port}"
    more = {f"listener.name.{listener.name.lower()}.{name}": value for name, value in listener.properties.items()}
    protocols = f"{properties['listener.security.protocol.map']},{listener.name}:{listener.protocol}"
    return {
        **properties,
        **more,
        "listener.security.protocol.map": protocols,
        "listeners": f"{properties['listeners']},{place}",
        "advertised.listeners": f"{properties['advertised.listeners']},{place}",
    }


def server_properties(
    *, listen_host: str, advertised: str, port: int, controller_port: int, data: Path | str
) -> dict[str, str]:
    """Return the whole configuration; clients are sent to `advertised`:`port`."""
    return {
        **FIXED,
        "controller.quorum.voters": f"1@127.0.0.1:{controller_port}",
        "listeners": f"PLAINTEXT://{listen_host}:{port},CONTROLLER://127.0.0.1:{controller_port}",
        "advertised.listeners": f"PLAINTEXT://{advertised}:{port}",
        "log.dirs": str(data),
    }


def as_file(properties: Mapping[str, str]) -> str:
    """Render properties as Kafka reads them from a file."""
    return "".join(f"{name}={value}\n" for name, value in properties.items())


def as_container_environment(properties: Mapping[str, str]) -> dict[str, str]:
    """Render properties as the official image reads them from its environment."""
    return {f"KAFKA_{name.upper().replace('.', '_')}": value for name, value in properties.items()}
