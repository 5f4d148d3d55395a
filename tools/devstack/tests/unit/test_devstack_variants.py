"""Which variant a machine gets, and what it is told when it can have none."""

import pytest

from fareline_devstack.errors import DevstackError, StackUnavailable
from fareline_devstack.kafka.artifacts import cache_folder, kafka_version, pom_text, require_tools
from fareline_devstack.variants import Variant, choose_variant


@pytest.fixture
def tool(tmp_path):
    """Plant programs that print what they are told on standard error."""

    def plant(name, says=""):
        program = tmp_path / "bin" / name
        program.parent.mkdir(exist_ok=True)
        program.write_text(f"#!/bin/sh\necho '{says}' >&2\n")
        program.chmod(0o755)
        return str(program.parent)

    return plant


@pytest.mark.parametrize(
    ("wanted", "engine", "variant"),
    [
        ("", True, Variant.DOCKER),
        ("", False, Variant.NATIVE),
        ("native", True, Variant.NATIVE),
        ("docker", True, Variant.DOCKER),
    ],
)
def test_choice(wanted, engine, variant):
    assert choose_variant({"FARELINE_STACK": wanted}, docker_ready=lambda: engine) is variant


def test_forced_docker_without_an_engine_says_so():
    with pytest.raises(StackUnavailable, match="no Docker engine"):
        choose_variant({"FARELINE_STACK": "docker"}, docker_ready=lambda: False)


def test_unknown_variant_is_refused():
    with pytest.raises(DevstackError, match="must be docker or native, not 'podman'"):
        choose_variant({"FARELINE_STACK": "podman"}, docker_ready=lambda: True)


def test_without_java_one_sentence_says_what_to_install(tmp_path):
    with pytest.raises(StackUnavailable) as said:
        require_tools({"PATH": "", "FARELINE_CACHE": str(tmp_path)})
    assert str(said.value).count(".") == 1
    assert "JDK 17 or later together with Maven (no java" in str(said.value)


def test_old_java_is_no_java(tool, tmp_path):
    path = tool("java", 'openjdk version "11.0.2" 2019-01-15')
    with pytest.raises(StackUnavailable, match="no java of version 17"):
        require_tools({"PATH": path, "FARELINE_CACHE": str(tmp_path)})


def test_java_without_maven_is_not_enough(tool, tmp_path):
    path = tool("java", 'openjdk version "21.0.1" 2023-10-17')
    with pytest.raises(StackUnavailable, match="mvn was not found"):
        require_tools({"PATH": path, "FARELINE_CACHE": str(tmp_path)})


def test_jars_in_the_cache_make_maven_unnecessary(tool, tmp_path):
    environment = {"PATH": tool("java", 'openjdk version "21" 2023-09-19'), "FARELINE_CACHE": str(tmp_path)}
    (cache_folder(environment) / "jars").mkdir(parents=True)
    require_tools(environment)


def test_java_home_comes_before_path(tool, tmp_path):
    home = tool("java", 'openjdk version "17.0.1" 2021-10-19').removesuffix("/bin")
    (cache_folder({"FARELINE_CACHE": str(tmp_path)}) / "jars").mkdir(parents=True)
    require_tools({"PATH": "", "JAVA_HOME": home, "FARELINE_CACHE": str(tmp_path)})


def test_pom_names_kafka_its_tools_and_a_logger_and_no_address():
    text = pom_text()
    assert kafka_version() == "4.1.0"
    for artifact in ("kafka_2.13", "kafka-tools", "log4j-slf4j-impl", "log4j-core"):
        assert f"<artifactId>{artifact}</artifactId>" in text
    assert "://" not in text
