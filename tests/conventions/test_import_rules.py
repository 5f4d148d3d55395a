"""Every import rule of pyproject.toml holds for the tree and stops the violation planted for it."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
ROOTS = [path.parent for path in sorted(ROOT.glob("*/*/src/*/__init__.py"))]
PLANTED = {
    "services-independent": ("services/order-binder/src/order_binder/domain/planted.py", "import call_router"),
    "libs-below-services": ("libs/chassis/src/fareline_chassis/planted.py", "import recording_ingest"),
    "contracts-import-none-of-ours": ("libs/contracts/src/fareline_contracts/planted.py", "import fareline_chassis"),
    "devstack-outside": ("tools/devstack/src/fareline_devstack/planted.py", "import order_binder"),
    "binder-layers": ("services/order-binder/src/order_binder/domain/planted.py", "import order_binder.usecases"),
    "router-layers": ("services/call-router/src/call_router/usecases/planted.py", "import call_router.replica"),
    "ingest-layers": (
        "services/recording-ingest/src/recording_ingest/ports/calls.py",
        "import recording_ingest.usecases",
    ),
    "pure-core": ("services/recording-ingest/src/recording_ingest/domain/planted.py", "import asyncpg"),
}


def lint(tree, *contracts):
    """Run import-linter on a tree of sources and return (exit status, output)."""
    paths = os.pathsep.join(str(path) for path in tree.glob("*/*/src"))
    chosen = [argument for contract in contracts for argument in ("--contract", contract)]
    done = subprocess.run(
        [Path(sys.executable).parent / "lint-imports", "--no-cache", *chosen, ROOT / "pyproject.toml"],
        env={**os.environ, "PYTHONPATH": paths},
        cwd=tree,
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout + done.stderr


@pytest.fixture
def copied(tmp_path):
    for package in ROOTS:
        target = tmp_path / package.relative_to(ROOT)
        shutil.copytree(package, target, ignore=shutil.ignore_patterns("__pycache__"))
    return tmp_path


def test_every_rule_has_a_planted_violation():
    import tomllib

    rules = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    assert {rule["id"] for rule in rules} == PLANTED.keys()


@pytest.mark.parametrize("rule", PLANTED)
def test_a_planted_violation_is_found(copied, rule):
    path, line = PLANTED[rule]
    file = copied / path
    file.write_text((file.read_text() if file.exists() else '"""Planted."""\n') + f"\n{line}  # noqa\n")
    status, output = lint(copied, rule)
    assert status == 1, output
    assert "BROKEN" in output
