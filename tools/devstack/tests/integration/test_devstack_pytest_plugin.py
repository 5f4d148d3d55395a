"""The plugin marks by itself and starts nothing in a unit run."""

import pytest

pytest_plugins = ["pytester"]

TESTS = """
import pytest

def test_plain(topic_prefix):
    assert topic_prefix

def test_database(database_url):
    raise AssertionError("must not run")

@pytest.fixture
def service(make_topic):
    return make_topic

def test_indirect(service):
    raise AssertionError("must not run")

@pytest.mark.e2e
def test_story():
    raise AssertionError("must not run")
"""
SLY = "def test_sly(request):\n    request.getfixturevalue('kafka_bootstrap')\n"
INI = "[pytest]\nmarkers =\n    stack: needs servers\n    e2e: whole\n"


@pytest.fixture
def plugged(pytester, monkeypatch):
    """Run pytest with nothing but this plugin, where no server could ever be started."""
    for name in ("FARELINE_TEST_KAFKA", "FARELINE_TEST_POSTGRES"):
        monkeypatch.delenv(name, raising=False)
    pytester.makeini(INI)

    def run(text, *arguments):
        pytester.makepyfile(text)
        return pytester.runpytest_subprocess("-p", "fareline_devstack.pytest_plugin", "-p", "no:randomly", *arguments)

    return run


@pytest.mark.parametrize("arguments", [("--unit",), ("-m", "not stack and not e2e")])
def test_unit_run_leaves_out_whatever_needs_a_server(plugged, monkeypatch, arguments):
    monkeypatch.setenv("PATH", "")
    plugged(TESTS, *arguments).assert_outcomes(passed=1, deselected=3)


@pytest.mark.parametrize("arguments", [("--unit",), ("-m", "not stack")])
def test_asking_for_a_server_behind_the_plugins_back_fails_in_a_unit_run(plugged, arguments):
    result = plugged(SLY, *arguments)
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*this run must not start Kafka*"])


def test_machine_that_can_run_no_server_is_told_once_before_the_first_test(plugged, monkeypatch):
    monkeypatch.setenv("PATH", "")
    monkeypatch.delenv("JAVA_HOME", raising=False)
    monkeypatch.setenv("DOCKER_HOST", "tcp://127.0.0.1:1")
    result = plugged("def test_it(kafka_bootstrap):\n    pass\n")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["*Fareline needs either a running Docker engine*"])


def test_running_servers_are_reused_where_the_environment_names_them(plugged, monkeypatch):
    monkeypatch.setenv("FARELINE_TEST_KAFKA", "elsewhere:9092")
    result = plugged("def test_it(kafka_bootstrap):\n    assert kafka_bootstrap == 'elsewhere:9092'\n")
    result.assert_outcomes(passed=1)
