"""How compose is found and told, without an engine."""

import pytest

from fareline_devstack import compose
from fareline_devstack.errors import DevstackError, StackUnavailable


def test_without_an_engine_it_says_what_to_do(monkeypatch):
    monkeypatch.setattr(compose, "_works", lambda words: False)
    with pytest.raises(StackUnavailable, match="make demo"):
        compose.compose_command()


def test_the_program_is_taken_where_the_plugin_is_missing(monkeypatch):
    monkeypatch.setattr(compose.shutil, "which", lambda name: f"/usr/bin/{name}")
    monkeypatch.setattr(compose, "_works", lambda words: words != ["docker", "compose", "version"])
    assert compose.compose_command() == ["docker-compose"]


def test_ports_reach_compose_under_its_variables(tmp_path):
    ports = {"kafka": 1, "call-router": 2, "order-binder": 3, "recording-ingest": 4, "beside": 5}
    system = compose.ComposeSystem(tmp_path, "p", {"FARELINE_VERSION": "x"}, ports=ports)
    told = system._variables()
    assert (told["FARELINE_KAFKA_PORT"], told["FARELINE_ROUTER_PORT"], told["FARELINE_VERSION"]) == ("1", "2", "x")
    assert system.info.kafka_bootstrap == "localhost:1"


def test_what_a_command_said_is_in_the_error(tmp_path):
    with pytest.raises(DevstackError, match="no such thing"):
        compose._run(["sh", "-c", "echo no such thing >&2; exit 1"], tmp_path, {"PATH": "/usr/bin:/bin"}, 10)
