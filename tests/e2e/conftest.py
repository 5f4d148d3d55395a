"""The three services as real processes over the session's Kafka and Postgres: own topics, own database, free ports."""

import secrets
from contextlib import ExitStack

import pytest
from span_collector import collecting

from fareline_devstack.demo_data import load_demo
from fareline_devstack.kafka.topics import create_topics, registry_specs
from fareline_devstack.layout import DEMO_TOKEN, find_layout
from fareline_devstack.ports import free_port
from fareline_devstack.postgres.databases import create_database, drop_database
from fareline_devstack.services.catalogue import (
    CALL_ROUTER,
    ORDER_BINDER,
    RECORDING_INGEST,
    SERVICES,
    Surroundings,
    environment_of,
)
from fareline_devstack.services.process import ServiceProcess, run_to_end
from fareline_devstack.story.accounts import fake_zadarma_for, write_accounts
from fareline_devstack.story.performance import House
from fareline_devstack.system import SystemInfo
from fareline_devstack.waiting import run_blocking


@pytest.fixture(scope="session")
def e2e_database(postgres_server):
    name = f"e2e_{secrets.token_hex(4)}"
    yield run_blocking(create_database(postgres_server, name))
    run_blocking(drop_database(postgres_server, name))


@pytest.fixture(scope="session")
def e2e_topic_prefix(kafka_bootstrap):
    prefix = f"e2e{secrets.token_hex(4)}-"
    run_blocking(create_topics(kafka_bootstrap, registry_specs(prefix)))
    return prefix


@pytest.fixture(scope="session")
def collector():
    """Where the services of `house` send their traces."""
    with collecting() as spans:
        yield spans


@pytest.fixture(scope="session")
def house(kafka_bootstrap, e2e_topic_prefix, e2e_database, collector, tmp_path_factory):
    """Everything that the story needs, running; the services' logs are shown when one does not start."""
    layout, folder = find_layout(), tmp_path_factory.mktemp("e2e")
    with ExitStack() as running:
        zadarma = running.enter_context(fake_zadarma_for(layout.accounts_file))
        told = Surroundings(
            kafka_bootstrap=kafka_bootstrap,
            database_url=e2e_database,
            topic_prefix=e2e_topic_prefix,
            ports={service.name: free_port() for service in SERVICES},
            tokens_file=layout.tokens_file,
            accounts_file=write_accounts(layout.accounts_file, api_base=zadarma.base_url, to=folder / "accounts.json"),
            token=DEMO_TOKEN,
            data=folder / "data",
            also={"OTEL_EXPORTER_OTLP_ENDPOINT": collector.url, "OTEL_BSP_SCHEDULE_DELAY": "200"},
        )
        told.data.mkdir()
        for process in [start(service, told, folder) for service in SERVICES]:
            running.callback(process.stop)
            process.wait_started()
        load_demo(told.url(ORDER_BINDER), told.token, layout.demo)
        yield House(system=described(told), accounts_file=told.accounts_file, zadarma=zadarma, logs=folder)


def start(service, told, folder):
    environment, log_file = environment_of(service, told), folder / f"{service.name}.log"
    if service.migrates:
        argv = service.argv("migrate")
        run_to_end(name=f"{service.name} migrate", argv=argv, env=environment, log_file=log_file)
    process = ServiceProcess(
        name=service.name, argv=service.argv("run"), env=environment, log_file=log_file, url=told.url(service)
    )
    process.start()
    return process


def described(told):
    return SystemInfo(
        kafka_bootstrap=told.kafka_bootstrap,
        database_url=told.database_url,
        topic_prefix=told.topic_prefix,
        order_binder_url=told.url(ORDER_BINDER),
        call_router_url=told.url(CALL_ROUTER),
        recording_ingest_url=told.url(RECORDING_INGEST),
        token=told.token,
    )
