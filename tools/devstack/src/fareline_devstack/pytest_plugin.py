"""Fixtures over a real Kafka and a real PostgreSQL, started at the first test that asks and ended with the session.

| fixture | gives |
|---|---|
| `kafka_bootstrap` | bootstrap servers of the session's Kafka |
| `postgres_server` | DSN of the superuser of the session's PostgreSQL |
| `database_url` | DSN of an empty database of the test's own, dropped afterwards |
| `topic_prefix` | a prefix of the test's own for topics and groups, such as `t3f2a1c9d-` |
| `make_topic` | `await make_topic("seen", partitions=3, config={…})` creates `<topic_prefix>seen`, returns that |
| `registry_topics` | creates the topics of the contracts under `topic_prefix`, 3 partitions each; returns the prefix |
| `own_kafka`, `own_postgres` | a native one of your own, not started: `.start() .stop() .process.freeze()`, data kept |

Tests that ask for one of the servers, directly or not, are marked `stack`. `--unit` leaves those and `e2e` out.
`FARELINE_TEST_KAFKA` (bootstrap servers) and `FARELINE_TEST_POSTGRES` (superuser's DSN) reuse servers that run already.
"""

import os
import secrets
from collections.abc import Awaitable, Callable, Iterator, Mapping
from pathlib import Path
from typing import Protocol

import pytest

from fareline_devstack.errors import DevstackError
from fareline_devstack.kafka.native import NativeKafka
from fareline_devstack.kafka.topics import PARTITIONS, TopicSpec, create_topics, registry_specs
from fareline_devstack.postgres.databases import create_database, drop_database
from fareline_devstack.postgres.native import NativePostgres
from fareline_devstack.scratch import Scratch
from fareline_devstack.servers import Server
from fareline_devstack.variants import Builder, Variant, choose_variant, prepare
from fareline_devstack.waiting import run_blocking

KAFKA_FIXTURES = frozenset({"kafka_bootstrap", "own_kafka"})
SERVER_FIXTURES = KAFKA_FIXTURES | {"postgres_server", "own_postgres"}
MARKER = "stack"
OTHER_INFRASTRUCTURE_MARKER = "e2e"
KAFKA_VARIABLE = "FARELINE_TEST_KAFKA"
POSTGRES_VARIABLE = "FARELINE_TEST_POSTGRES"


class MakeTopic(Protocol):
    """What the fixture `make_topic` gives."""

    def __call__(
        self, name: str, *, partitions: int = PARTITIONS, config: Mapping[str, str] | None = None
    ) -> Awaitable[str]:
        """Create the topic `<topic_prefix><name>` and return that name."""
        ...


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add `--unit`."""
    parser.addoption("--unit", action="store_true", help="only tests that need neither Kafka nor PostgreSQL")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Mark what needs a server, before `-m` selects; leave it out with `--unit`."""
    for item in items:
        if SERVER_FIXTURES & set(getattr(item, "fixturenames", ())):
            item.add_marker(MARKER)
    if config.getoption("--unit"):
        dropped = [item for item in items if _needs_infrastructure(item)]
        config.hook.pytest_deselected(items=dropped)
        items[:] = [item for item in items if item not in dropped]


@pytest.hookimpl(tryfirst=True)
def pytest_runtestloop(session: pytest.Session) -> None:
    """Fetch what is missing before the first test's time begins to run."""
    wanted = any(_needs_kafka(item) for item in session.items)
    if wanted and not session.config.option.collectonly and KAFKA_VARIABLE not in os.environ:
        try:
            prepare(choose_variant())
        except DevstackError as missing:
            raise pytest.UsageError(str(missing)) from missing


def _needs_infrastructure(item: pytest.Item) -> bool:
    return any(item.get_closest_marker(name) for name in (MARKER, OTHER_INFRASTRUCTURE_MARKER))


def _needs_kafka(item: pytest.Item) -> bool:
    named = bool(KAFKA_FIXTURES & set(getattr(item, "fixturenames", ())))
    return named or item.get_closest_marker(OTHER_INFRASTRUCTURE_MARKER) is not None


def refuse_in_unit_run(config: pytest.Config, what: str) -> None:
    """Fail the asking test where the run was promised to need no server."""
    expression = str(config.getoption("markexpr", ""))
    if config.getoption("--unit") or f"not {MARKER}" in expression:
        pytest.fail(
            f"this run must not start {what}: ask for the fixture by name, so that the test is marked", pytrace=False
        )


@pytest.fixture(scope="session")
def devstack_builder() -> Iterator[Builder]:
    """Give what makes the session's servers; their data and logs go when the session ends."""
    scratch = Scratch()
    yield Builder(variant=choose_variant(), folder=scratch.path, logs=scratch.path)
    scratch.remove()


@pytest.fixture(scope="session")
def kafka_bootstrap(request: pytest.FixtureRequest) -> Iterator[str]:
    """Give the bootstrap servers of the session's Kafka."""
    yield from _shared_server(request, "Kafka", KAFKA_VARIABLE, Builder.kafka)


@pytest.fixture(scope="session")
def postgres_server(request: pytest.FixtureRequest) -> Iterator[str]:
    """Give the DSN of the superuser of the session's PostgreSQL."""
    yield from _shared_server(request, "PostgreSQL", POSTGRES_VARIABLE, Builder.postgres)


def _shared_server(
    request: pytest.FixtureRequest, what: str, variable: str, make: Callable[[Builder], Server]
) -> Iterator[str]:
    refuse_in_unit_run(request.config, what)
    if running := os.environ.get(variable):
        yield running
        return
    server = make(request.getfixturevalue("devstack_builder"))
    yield server.start()
    server.stop()


@pytest.fixture
def own_kafka(request: pytest.FixtureRequest, devstack_builder: Builder) -> Iterator[NativeKafka]:
    """Give a Kafka of the test's own, not started."""
    refuse_in_unit_run(request.config, "Kafka")
    prepare(Variant.NATIVE)
    server = devstack_builder.native_kafka(f"kafka-{secrets.token_hex(4)}")
    yield server
    server.stop()


@pytest.fixture
def own_postgres(request: pytest.FixtureRequest, devstack_builder: Builder) -> Iterator[NativePostgres]:
    """Give a PostgreSQL of the test's own, not started."""
    refuse_in_unit_run(request.config, "PostgreSQL")
    server = devstack_builder.native_postgres(f"postgres-{secrets.token_hex(4)}")
    yield server
    server.stop()


@pytest.fixture
def database_url(postgres_server: str) -> Iterator[str]:
    """Give the DSN of an empty database, dropped after the test whoever is still connected."""
    name = f"test_{secrets.token_hex(6)}"
    yield run_blocking(create_database(postgres_server, name))
    run_blocking(drop_database(postgres_server, name))


@pytest.fixture
def topic_prefix() -> str:
    """Give a prefix that no other test uses; works without Kafka."""
    return f"t{secrets.token_hex(4)}-"


@pytest.fixture
def make_topic(kafka_bootstrap: str, topic_prefix: str) -> MakeTopic:
    """Give a coroutine function that creates topics of the test's own."""

    async def make(name: str, *, partitions: int = PARTITIONS, config: Mapping[str, str] | None = None) -> str:
        spec = TopicSpec(name=f"{topic_prefix}{name}", partitions=partitions, config=config or {})
        await create_topics(kafka_bootstrap, [spec])
        return spec.name

    return make


@pytest.fixture
def registry_topics(kafka_bootstrap: str, topic_prefix: str) -> str:
    """Create the topics of the contracts under the test's prefix and return it."""
    run_blocking(create_topics(kafka_bootstrap, registry_specs(topic_prefix)))
    return topic_prefix


@pytest.fixture(scope="session")
def repository_root(pytestconfig: pytest.Config) -> Path:
    """Give the folder of the whole repository."""
    return pytestconfig.rootpath
