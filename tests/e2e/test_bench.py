"""The benchmarks run from the command line and end with a line for each figure; how fast is not asserted."""

import re
import subprocess
import sys

import pytest

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(600)]


@pytest.mark.usefixtures("kafka_bootstrap")
def test_the_router_benchmark_says_its_ratios(repository_root):
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "bench",
            "router",
            "--bindings",
            "2000",
            "--seconds",
            "0.3",
            "--paced-seconds",
            "0.5",
            "--rounds",
            "1",
        ],
        cwd=repository_root,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "answers other than 200: 0 of " in done.stdout
    assert re.findall(r"^BENCH (\w+) .* goal [<>]=\S+ (?:met|missed)$", done.stdout, re.MULTILINE) == [
        "P4a",
        "P4b",
        "P4c",
        "P1a",
        "P1b",
        "P1c",
        "P1d",
    ]
