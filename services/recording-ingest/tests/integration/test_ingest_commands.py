"""The command line of recording-ingest, as somebody meets it who has set nothing yet, or something wrong."""

import os
import subprocess
import sys

import pytest


def command(*arguments, **variables):
    known = {name: value for name, value in os.environ.items() if name in ("PATH", "HOME")}
    return subprocess.run(
        [sys.executable, "-m", "recording_ingest", *arguments],
        env=known | variables,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture
def enough(repository_root, tmp_path):
    demo = repository_root / "deploy" / "demo"
    return {
        "KAFKA_BOOTSTRAP": "127.0.0.1:1",
        "DATABASE_URL": "postgresql://nobody@127.0.0.1:1/none",
        "FARELINE_ACCOUNTS_FILE": str(demo / "accounts.json"),
        "FARELINE_TOKENS_FILE": str(demo / "tokens.json"),
        "FARELINE_PHONE_KEYS_FILE": str(demo / "phone-keys.json"),
        "STORAGE_URL": str(tmp_path),
    }


@pytest.mark.parametrize(
    "role",
    [["run"], ["migrate"], ["retention"], ["reseal"], ["grant-bi"], ["verify-access-log"], ["refold"], ["dlq", "list"]],
)
def test_what_is_not_set_is_named_without_a_stack_trace(role):
    done = command(*role)
    assert done.returncode == 2
    assert "is not set" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("variable", ["FARELINE_ACCOUNTS_FILE", "FARELINE_TOKENS_FILE", "FARELINE_PHONE_KEYS_FILE"])
def test_a_file_that_cannot_be_used_is_one_sentence(enough, variable, tmp_path):
    done = command("run", **enough | {variable: str(tmp_path / "nowhere.json"), "FARELINE_DEMO": "1"})
    assert (done.returncode, done.stderr.count("\n")) == (2, 1), done.stderr
    assert "recording-ingest cannot start: " in done.stderr
    assert "nowhere.json" in done.stderr


@pytest.mark.parametrize("proxies", ["*", "ingress", "10.0.0.1/8", "10.0.0.1 10.0.0.2", "10.0.0.0/8,-"])
def test_proxies_that_are_no_addresses_are_told_so_at_the_start(enough, proxies):
    done = command("run", **enough | {"FORWARDED_ALLOW_IPS": proxies})
    assert (done.returncode, done.stderr.count("\n")) == (2, 2), done.stderr
    assert "FORWARDED_ALLOW_IPS" in done.stderr
    assert "neither an address nor a network" in done.stderr


def test_keys_that_cannot_be_used_are_one_sentence_of_a_command_too(enough, tmp_path):
    done = command("reseal", **enough | {"FARELINE_PHONE_KEYS_FILE": str(tmp_path / "nowhere.json")})
    assert (done.returncode, done.stderr.count("\n")) == (2, 1), done.stderr
    assert "recording-ingest cannot start: " in done.stderr


def test_the_demos_secrets_are_refused_outside_the_demo(enough):
    done = command("run", **enough)
    assert done.returncode == 2
    assert "FARELINE_DEMO=1" in done.stderr


COMMANDS = [["migrate"], ["retention"], ["reseal"], ["grant-bi"], ["verify-access-log"], ["refold"]]


@pytest.mark.parametrize("role", COMMANDS)
def test_a_database_that_is_away_is_one_sentence_that_says_what_to_do(enough, role):
    done = command(*role, **enough | {"FARELINE_DEMO": "1"})
    assert (done.returncode, done.stderr.count("\n")) == (2, 1), done.stderr
    assert done.stderr.startswith("recording-ingest: PostgreSQL cannot be reached: ")
    assert "run this again" in done.stderr
    assert "crashed" not in done.stdout + done.stderr


@pytest.mark.parametrize("role", [["migrate"], ["grant-bi"], ["refold"]])
def test_an_address_that_is_none_is_told_without_its_password(enough, role):
    done = command(*role, **enough | {"FARELINE_DEMO": "1", "DATABASE_URL": "mysql://u:s3cret@h/x"})
    assert done.returncode == 2, done.stderr
    assert "DATABASE_URL cannot be used: " in done.stderr
    crashed = command(*role, **enough | {"FARELINE_DEMO": "1", "DATABASE_URL": "postgresql://u:s3cret@h:port/x"})
    assert "s3cret" not in done.stdout + done.stderr + crashed.stdout + crashed.stderr
