"""The pages say what is true: files that they name exist, links lead somewhere."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]
LINK = re.compile(r"\]\((?!https?:|#)([^)#]+)")
SHELL = re.compile(r"^```sh\n(.*?)^```$", re.MULTILINE | re.DOTALL)
FILE = re.compile(r"`((?:services|libs|tools|docs|deploy|tests)/[\w./-]+)`")


def broken(page, text):
    links = [target for target in LINK.findall(text) if not (page.parent / target).exists()]
    return links + [name for name in FILE.findall(text) if not (ROOT / name).exists()]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_what_a_page_names_exists(page):
    assert broken(page, page.read_text()) == []


def test_a_planted_dead_end_is_found():
    page = ROOT / "README.md"
    assert broken(page, "[x](docs/nowhere.md)") == ["docs/nowhere.md"]
    assert broken(page, "see `services/order-binder/src/gone.py`") == ["services/order-binder/src/gone.py"]


def test_every_decision_is_listed():
    listed = (ROOT / "docs/adr/README.md").read_text()
    assert [path.name for path in (ROOT / "docs/adr").glob("0*.md") if path.name not in listed] == []


def test_every_make_command_of_the_readme_exists():
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    named = set(re.findall(r"\bmake ([a-z-]+)", (ROOT / "README.md").read_text()))
    assert named <= targets


def untested_commands(readme, script):
    """Return the commands of the README's indented blocks that neither the landing script nor a test runs."""
    commands = [line.split("#")[0].strip() for line in re.findall(r"^    (\S.*)$", readme, re.MULTILINE)]
    run = set(script.splitlines()) | {".ci/run"}
    return [command for command in commands if command not in run]


def test_every_command_of_the_readme_is_run_before_a_change_lands():
    script = (ROOT / ".ci/run").read_text() + "".join(SHELL.findall((ROOT / "docs/hands-on.md").read_text()))
    assert untested_commands((ROOT / "README.md").read_text(), script) == []
    assert untested_commands("    make nothing  # planted\n", script) == ["make nothing"]
