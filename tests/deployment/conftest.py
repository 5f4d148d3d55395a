"""An engine, the images made of this tree, and a whole system in containers. Without an engine these tests skip and say so."""

import os
import secrets
import shutil
import subprocess
from pathlib import Path

import pytest

from fareline_devstack.commands.containers import compose_house
from fareline_devstack.compose import compose_command
from fareline_devstack.errors import StackUnavailable
from fareline_devstack.layout import find_layout
from fareline_devstack.progress import silent

ROOT = Path(__file__).parents[2]
BUILT = "FARELINE_IMAGE_TAG"
REQUIRED = "FARELINE_REQUIRE_TOOLS"
SERVICES = ("order-binder", "call-router", "recording-ingest")


def missing(what):
    """Skip and say what was not proven; where tools are required, as when a change is released, fail instead."""
    if os.environ.get(REQUIRED):
        pytest.fail(f"{what} ({REQUIRED} is set)", pytrace=False)
    pytest.skip(f"NOT PROVEN HERE: {what}")


@pytest.fixture(scope="session")
def engine():
    """Return a function that runs `docker …` and returns what is done."""
    try:
        compose_command()
    except StackUnavailable as absent:
        missing(str(absent))

    def docker(*words, check=True, seconds=120):
        done = subprocess.run(["docker", *words], capture_output=True, text=True, timeout=seconds, check=False)
        assert not check or done.returncode == 0, done.stderr
        return done

    return docker


@pytest.fixture(scope="session")
def images(engine):
    """Return the names of the images by service: of this tree, or those that are there under FARELINE_IMAGE_TAG."""
    built = os.environ.get(BUILT)
    if built:
        yield {service: f"fareline/{service}:{built}" for service in SERVICES}
        return
    tag = f"test-{secrets.token_hex(3)}"
    subprocess.run(["make", "images", f"IMAGE_TAG={tag}"], cwd=ROOT, check=True, timeout=900)
    yield {service: f"fareline/{service}:{tag}" for service in SERVICES}
    engine("rmi", *(f"fareline/{service}:{tag}" for service in SERVICES), check=False)


@pytest.fixture(scope="module")
def compose(images, monkeypatch_module):
    """Start everything in containers; yield (house of the story, the system)."""
    monkeypatch_module.setenv("FARELINE_VERSION", images["call-router"].rpartition(":")[2])
    with compose_house(find_layout(), f"fareline-test-{secrets.token_hex(3)}", silent) as (house, system):
        yield house, system


@pytest.fixture(scope="module")
def monkeypatch_module():
    with pytest.MonkeyPatch.context() as patch:
        yield patch


@pytest.fixture(scope="session")
def tool():
    """Return the path of a program, from the checks' environment or the machine's; skip where it is not there."""

    def find(name, hint):
        found = shutil.which(name, path=f"{ROOT / '.venv-deploy/bin'}{os.pathsep}{os.environ['PATH']}")
        return found or missing(f"{name} is not installed: {hint}")

    return find
