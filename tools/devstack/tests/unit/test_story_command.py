"""The `demo` command around the story: where it keeps its things, and that nobody takes them away meanwhile."""

import pytest

from fareline_devstack.commands.demo import layout_of_the_demo, only_one
from fareline_devstack.errors import DevstackError
from fareline_devstack.layout import find_layout


def test_the_demo_keeps_its_state_apart_from_a_system_that_was_left_running():
    ours, theirs = layout_of_the_demo(), find_layout()
    assert ours.demo == theirs.demo
    assert {ours.logs, ours.data, ours.state_file}.isdisjoint({theirs.logs, theirs.data, theirs.state_file})


def test_a_second_demo_from_the_same_folder_is_refused_while_the_first_is_played(tmp_path):
    with only_one(tmp_path / "demo"), pytest.raises(DevstackError, match="already"), only_one(tmp_path / "demo"):
        pass
    with only_one(tmp_path / "demo"):
        pass
