"""The command line: one sentence and the right exit code where something is missing, never a stack trace."""

import subprocess
import sys

import pytest


@pytest.fixture
def devstack(tmp_path):
    def run(*arguments, **environment):
        return subprocess.run(
            [sys.executable, "-m", "fareline_devstack", *arguments],
            env={"HOME": str(tmp_path), "COLUMNS": "100", **environment},
            check=False,
            capture_output=True,
            text=True,
            timeout=60,
        )

    return run


def test_machine_without_docker_java_and_maven_is_told_what_to_install(devstack, tmp_path):
    done = devstack("up", PATH="", DOCKER_HOST="tcp://127.0.0.1:1")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.count("\n") == 1
    assert done.stderr.startswith("Fareline needs either a running Docker engine, or a JDK 17 or later")


def test_forced_docker_without_an_engine_is_told_so(devstack):
    done = devstack("up", PATH="", DOCKER_HOST="tcp://127.0.0.1:1", FARELINE_STACK="docker")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("FARELINE_STACK=docker, but no Docker engine")


def test_topics_without_a_kafka_fail_without_a_stack_trace(devstack):
    done = devstack("topics", "--bootstrap", "127.0.0.1:1")
    assert done.returncode == 1
    assert "Kafka does not answer at 127.0.0.1:1" in done.stderr
    assert "Traceback" not in done.stderr


def test_help_names_the_commands(devstack):
    done = devstack("--help")
    assert done.returncode == 0
    for command in ("up", "down", "status", "topics"):
        assert f" {command} " in done.stdout
