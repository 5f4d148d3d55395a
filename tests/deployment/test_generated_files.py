"""How files that are made of something else are written and checked."""

import sys

import pytest
from deploy import generated


@pytest.fixture
def command(tmp_path, monkeypatch):
    """Return a function that runs the command with some arguments over (name, text) in an empty folder."""
    monkeypatch.setattr(generated, "ROOT", tmp_path)

    def run(arguments, files):
        monkeypatch.setattr(sys, "argv", ["command", *arguments])
        made = ((tmp_path / name, text()) for name, text in files)
        return generated.write_or_check(made, about="", target="all")

    return run


def test_what_is_missing_or_old_is_told_and_left_alone_by_the_check(command, tmp_path, capsys):
    files = [("missing", lambda: "1"), ("old", lambda: "2"), ("current", lambda: "3")]
    (tmp_path / "old").write_text("1")
    (tmp_path / "current").write_text("3")
    assert command(["--check"], files) == 1
    assert capsys.readouterr().out == "".join(f"{n} is not current; run: make all\n" for n in ("missing", "old"))
    assert not (tmp_path / "missing").exists()
    assert command([], files) == 0
    assert capsys.readouterr().out == "missing written\nold written\n"
    assert command(["--check"], files) == 0
    assert capsys.readouterr().out == ""


def test_later_files_are_made_of_those_that_were_written_before(command, tmp_path):
    files = [("first", lambda: "1"), ("second", lambda: (tmp_path / "first").read_text() + "2")]
    assert command([], files) == 0
    assert (tmp_path / "second").read_text() == "12"
