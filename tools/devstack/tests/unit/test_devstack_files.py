"""What the devstack writes: server settings, the address file, the environment of each service."""

from pathlib import Path

import pytest

from fareline_devstack.envfile import NAMES, read_env, write_env
from fareline_devstack.errors import DevstackError
from fareline_devstack.kafka.server_properties import as_container_environment, as_file, server_properties
from fareline_devstack.kafka.topics import registry_specs
from fareline_devstack.layout import find_layout
from fareline_devstack.services.catalogue import (
    CALL_ROUTER,
    ORDER_BINDER,
    RECORDING_INGEST,
    Surroundings,
    environment_of,
)


@pytest.fixture
def told(tmp_path):
    return Surroundings(
        kafka_bootstrap="127.0.0.1:1",
        database_url="postgresql://postgres@127.0.0.1:2/fareline",
        topic_prefix="x-",
        ports={"order-binder": 8081, "recording-ingest": 8082, "call-router": 8080},
        tokens_file=tmp_path / "tokens.json",
        accounts_file=tmp_path / "accounts.json",
        token="secret",
        data=tmp_path / "data",
    )


def test_env_file_gives_back_what_was_written(tmp_path):
    values = {name: f"value of {name} $HOME" for name in NAMES}
    write_env(tmp_path / "deep" / "stack.env", values)
    assert read_env(tmp_path / "deep" / "stack.env") == values
    assert (tmp_path / "deep" / "stack.env").stat().st_mode & 0o077 == 0


def test_without_env_file_a_person_is_told_how_to_get_one(tmp_path):
    with pytest.raises(DevstackError, match="`make up` starts everything"):
        read_env(tmp_path / "stack.env")


def test_kafka_settings_in_both_renderings():
    properties = server_properties(
        listen_host="127.0.0.1", advertised="here", port=1, controller_port=2, data=Path("data")
    )
    assert "auto.create.topics.enable=false\n" in as_file(properties)
    assert "advertised.listeners=PLAINTEXT://here:1\n" in as_file(properties)
    assert as_container_environment(properties)["KAFKA_GROUP_INITIAL_REBALANCE_DELAY_MS"] == "0"


def test_registry_topics_carry_prefix_and_settings():
    specs = {spec.name: spec for spec in registry_specs("x-", partitions=5)}
    assert specs["x-fareline.bindings.v1"].config["cleanup.policy"] == "compact"
    assert "x-taxi.orders.v1.dlq" in specs
    assert {spec.partitions for spec in specs.values()} == {5}


def test_every_service_is_told_where_things_are(told):
    for service, port in ((ORDER_BINDER, "8081"), (RECORDING_INGEST, "8082"), (CALL_ROUTER, "8080")):
        environment = environment_of(service, told)
        assert environment["HTTP_PORT"] == port
        assert environment["KAFKA_TOPIC_PREFIX"] == "x-"
        assert environment["FARELINE_DEMO"] == "1"


def test_only_call_router_is_told_where_order_binder_is(told):
    assert environment_of(CALL_ROUTER, told)["ORDER_BINDER_URL"] == "http://127.0.0.1:8081"
    assert environment_of(CALL_ROUTER, told)["ORDER_BINDER_TOKEN"] == "secret"
    assert "ORDER_BINDER_TOKEN" not in environment_of(RECORDING_INGEST, told)
    assert environment_of(RECORDING_INGEST, told)["STORAGE_URL"].startswith("file:///")


def test_layout_is_found_from_below_and_missed_elsewhere(tmp_path):
    (tmp_path / "deploy" / "demo").mkdir(parents=True)
    (tmp_path / "tools" / "deep").mkdir(parents=True)
    layout = find_layout(tmp_path / "tools" / "deep")
    assert layout.env_file == tmp_path.resolve() / ".fareline" / "stack.env"
    with pytest.raises(DevstackError, match="run this from a clone"):
        find_layout(Path("/dev"))
