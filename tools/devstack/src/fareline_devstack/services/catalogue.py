"""The three services: their packages and ports, and the environment that each one reads."""

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from fareline_devstack.ports import HOST, port_of


@dataclass(frozen=True, slots=True)
class Service:
    """A service: its name, the package that `python -m` runs, its usual port, whether it has a schema to migrate."""

    name: str
    package: str
    port: int
    migrates: bool

    def argv(self, role: str) -> list[str]:
        """Return the command for one of its roles, `run` or `migrate`."""
        return [sys.executable, "-m", self.package, role]


ORDER_BINDER = Service(name="order-binder", package="order_binder", port=8081, migrates=True)
RECORDING_INGEST = Service(name="recording-ingest", package="recording_ingest", port=8082, migrates=True)
CALL_ROUTER = Service(name="call-router", package="call_router", port=8080, migrates=False)
SERVICES = (ORDER_BINDER, RECORDING_INGEST, CALL_ROUTER)
FIRST_PORT = min(service.port for service in SERVICES)
FIRST_PORT_VARIABLE = "FARELINE_HTTP_BASE"


def usual_ports(environment: Mapping[str, str]) -> dict[str, int]:
    """Return the port of each service by name: 8080 to 8082, or counted from `FARELINE_HTTP_BASE`."""
    first = port_of(environment, FIRST_PORT_VARIABLE) or FIRST_PORT
    return {service.name: first + service.port - FIRST_PORT for service in SERVICES}


@dataclass(frozen=True, slots=True)
class Surroundings:
    """Everything that services are told; `ports` by service name, `token` is the one call-router shows order-binder.

    `also` holds further environment variables for all of them.
    """

    kafka_bootstrap: str
    database_url: str
    topic_prefix: str
    ports: Mapping[str, int]
    tokens_file: Path
    accounts_file: Path
    token: str
    data: Path
    also: Mapping[str, str] = field(default_factory=dict)

    def url(self, service: Service) -> str:
        """Return where `service` listens."""
        return f"http://{HOST}:{self.ports[service.name]}"


def environment_of(service: Service, told: Surroundings) -> dict[str, str]:
    """Return the whole environment of `service`: ours, and what it is told; the demo's secrets are allowed."""
    return {
        **os.environ,
        "KAFKA_BOOTSTRAP": told.kafka_bootstrap,
        "KAFKA_TOPIC_PREFIX": told.topic_prefix,
        "DATABASE_URL": told.database_url,
        "HTTP_HOST": HOST,
        "HTTP_PORT": str(told.ports[service.name]),
        "FARELINE_TOKENS_FILE": str(told.tokens_file),
        "FARELINE_ACCOUNTS_FILE": str(told.accounts_file),
        "FARELINE_DEMO": "1",
        **_own_variables(service, told),
        **told.also,
    }


def _own_variables(service: Service, told: Surroundings) -> dict[str, str]:
    if service is CALL_ROUTER:
        return {
            "ORDER_BINDER_URL": told.url(ORDER_BINDER),
            "ORDER_BINDER_TOKEN": told.token,
            "ROUTER_DATA_DIR": str(told.data / service.name),
            "ROUTER_NODE": "router-1",
        }
    if service is RECORDING_INGEST:
        return {
            "STORAGE_URL": (told.data / "recordings").as_uri(),
            "FARELINE_PHONE_KEYS_FILE": str(told.tokens_file.with_name("phone-keys.json")),
        }
    return {}
