"""Scratch folders: gone with their owner, however the owner went."""

import subprocess
import sys

import pytest

from fareline_devstack.scratch import LOCK, PREFIX, Scratch, sweep

OWNER = """
import sys, time
from pathlib import Path
from fareline_devstack.scratch import Scratch
print(Scratch(kept=sys.argv[1] == "kept", parent=Path(sys.argv[2])).path, flush=True)
time.sleep(99)
"""


def test_removed_by_its_owner(tmp_path):
    scratch = Scratch(parent=tmp_path)
    (scratch.path / "data").write_text("x")
    scratch.remove()
    scratch.remove()
    assert list(tmp_path.iterdir()) == []


def test_folder_in_use_is_not_swept(tmp_path):
    scratch = Scratch(parent=tmp_path)
    sweep(tmp_path)
    assert (scratch.path / LOCK).exists()
    scratch.remove()


@pytest.mark.parametrize(("fate", "stays"), [("loose", False), ("kept", True)])
def test_folder_of_a_killed_owner_is_swept_unless_meant_to_stay(tmp_path, fate, stays):
    argv = [sys.executable, "-c", OWNER, fate, str(tmp_path)]
    with subprocess.Popen(argv, stdout=subprocess.PIPE, text=True) as owner:
        owner.stdout.readline()
        owner.kill()
    sweep(tmp_path)
    assert any(tmp_path.glob(f"{PREFIX}*")) is stays
