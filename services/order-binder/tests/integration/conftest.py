"""A migrated database, an ingesting use case on it, and whole processes of order-binder."""

from pathlib import Path

import pytest
from binder_process import BinderProcess, tokens_file

from fareline_chassis.health import HealthComponent
from fareline_devstack.ports import free_port
from order_binder.outbound.bindings import PostgresBindings
from order_binder.outbound.reading import PostgresReader
from order_binder.outbound.registry import PostgresRegistry
from order_binder.outbound.schema import Schema
from order_binder.outbound.session import order_database


@pytest.fixture
async def binder_url(database_url):
    await Schema(database_url).migrate("all")
    return database_url


@pytest.fixture
async def database(binder_url):
    found = order_database(binder_url, 1, 20, HealthComponent("postgres"), name="test")
    await found.connect()
    yield found
    await found.close()


@pytest.fixture
def store(database):
    return PostgresBindings(database)


@pytest.fixture
def registry(database):
    return PostgresRegistry(database)


@pytest.fixture
def reader(database):
    return PostgresReader(database)


@pytest.fixture
def binder_env(binder_url, kafka_bootstrap, registry_topics, tmp_path: Path):
    """Return the environment of a process that has everything it needs."""
    return {
        "KAFKA_BOOTSTRAP": kafka_bootstrap,
        "KAFKA_TOPIC_PREFIX": registry_topics,
        "DATABASE_URL": binder_url,
        "HTTP_PORT": str(free_port()),
        "FARELINE_TOKENS_FILE": str(tokens_file(tmp_path)),
        "SWEEP_EVERY_S": "1",
    }


@pytest.fixture
def start_binder(tmp_path: Path):
    """Give a function that starts processes; whatever still runs is killed at the end."""
    started: list[BinderProcess] = []

    def start(env, *, driver=None) -> BinderProcess:
        process = BinderProcess(env, log=tmp_path / f"binder-{len(started)}.log", driver=driver)
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
