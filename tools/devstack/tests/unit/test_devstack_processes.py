"""Processes: ended in good order or by force, tied to us or left alone, told apart from their successors."""

import os
import signal
import subprocess
import sys
import time

import pytest

from fareline_devstack.errors import ProcessFailed
from fareline_devstack.processes import Child, Command, Lifetime, birth_mark, stop_by_pid
from fareline_devstack.waiting import wait_until

STUBBORN = (
    "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('ready', flush=True); time.sleep(99)"
)
PARENT = """
import sys, time
from pathlib import Path
from fareline_devstack.processes import Child, Command, Lifetime
command = Command(name="sleeper", argv=["sleep", "99"], log_file=Path(sys.argv[2]))
print(Child(command, Lifetime(sys.argv[1])).pid, flush=True)
time.sleep(99)
"""


@pytest.fixture
def start(tmp_path):
    children = []

    def run(*argv, lifetime=Lifetime.WITH_PARENT):
        children.append(Child(Command(name="it", argv=argv, log_file=tmp_path / "logs" / "it.log"), lifetime))
        return children[-1]

    yield run
    for child in children:
        child.kill()


@pytest.fixture
def orphan_maker(tmp_path):
    """Start a parent that starts a child of the given lifetime, kill the parent, return the child's pid and mark."""
    orphans = []

    def make(lifetime):
        argv = [sys.executable, "-c", PARENT, lifetime.value, str(tmp_path / "log")]
        with subprocess.Popen(argv, stdout=subprocess.PIPE, text=True) as parent:
            pid = int(parent.stdout.readline())
            mark = birth_mark(pid)
            assert mark is not None
            parent.kill()
        orphans.append((pid, mark))
        return pid, mark

    yield make
    for pid, mark in orphans:
        stop_by_pid(pid, mark, number=signal.SIGKILL, seconds=30)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the kernel's parent-death signal is Linux's")
def test_child_dies_with_a_killed_parent(orphan_maker):
    pid, mark = orphan_maker(Lifetime.WITH_PARENT)
    assert wait_until(lambda: birth_mark(pid) != mark, seconds=30)


def test_detached_child_outlives_its_parent_until_it_is_stopped_by_pid(orphan_maker):
    pid, mark = orphan_maker(Lifetime.DETACHED)
    assert birth_mark(pid) == mark
    assert stop_by_pid(pid, mark, number=signal.SIGTERM, seconds=30)
    assert birth_mark(pid) is None


def test_another_process_with_that_pid_is_left_alone(start):
    child = start("sleep", "99")
    assert not stop_by_pid(child.pid, "another mark", number=signal.SIGKILL, seconds=1)
    assert child.running


def test_stop_asks_first(start):
    assert start("sleep", "99").stop() == -signal.SIGTERM


def test_stop_ends_a_frozen_process_in_good_order(start):
    child = start("sleep", "99")
    child.freeze()
    assert child.stop() == -signal.SIGTERM


def test_stop_kills_who_does_not_listen(start):
    child = start(sys.executable, "-c", STUBBORN)
    log = child.command.log_file
    assert wait_until(lambda: "ready" in log.read_text(), seconds=30)
    assert child.stop(seconds=0.2) == -signal.SIGKILL
    assert child.stop() == -signal.SIGKILL


def test_kill_takes_grandchildren_along(start):
    child = start("sh", "-c", "sleep 98 & echo $!; wait")
    log = child.command.log_file
    assert wait_until(lambda: log.read_text().strip().isdecimal(), seconds=30)
    grandchild = int(log.read_text())
    child.kill()
    assert wait_until(lambda: birth_mark(grandchild) is None, seconds=30)


def test_early_end_is_told_with_exit_code_and_log(start):
    child = start("sh", "-c", "echo out of luck; exit 3")
    assert wait_until(lambda: not child.running, seconds=30)
    with pytest.raises(ProcessFailed, match=r"(?s)it ended with exit code 3; see .*it\.log\n    out of luck"):
        child.require_running()


def test_wait_until_gives_up():
    begun = time.monotonic()
    assert not wait_until(lambda: False, seconds=0.01)
    assert time.monotonic() > begun


def test_mark_of_nobody_is_none():
    assert birth_mark(os.getpid()) is not None
    assert birth_mark(2**22 + 1) is None
