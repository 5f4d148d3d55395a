"""The command line of order-binder where it cannot begin: one sentence, and a code that says whose fault it is."""

import os
import subprocess
import sys

import pytest

ENV = {
    "KAFKA_BOOTSTRAP": "127.0.0.1:1",
    "DATABASE_URL": "postgresql://nobody@127.0.0.1:1/none",
    "HTTP_PORT": "0",
    "FARELINE_TOKENS_FILE": "/nowhere/tokens.json",
}


def run(*arguments, without=()):
    env = {name: value for name, value in {**os.environ, **ENV}.items() if name not in without}
    command = [sys.executable, "-m", "order_binder", *arguments]
    return subprocess.run(command, env=env, capture_output=True, text=True, timeout=60, check=False)


@pytest.mark.parametrize(
    ("arguments", "without", "said"),
    [
        (["run"], (), "order-binder cannot start: /nowhere/tokens.json: No such file or directory\n"),
        (["run"], ("KAFKA_BOOTSTRAP",), "KAFKA_BOOTSTRAP is not set"),
        (["dlq", "replay"], (), "say which letters"),
    ],
)
def test_what_cannot_begin_says_why_and_ends_with_2(arguments, without, said):
    done = run(*arguments, without=without)
    assert done.returncode == 2
    assert said in done.stderr
    assert "Traceback" not in done.stdout + done.stderr
