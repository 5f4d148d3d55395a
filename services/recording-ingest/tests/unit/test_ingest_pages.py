"""What the pages ask of the call log can be done as they write it: with a token that may, with a Python that is there."""

import json
import re
from pathlib import Path

import pytest

from recording_ingest.inbound.access import READ

SHELL = re.compile(r"^```sh\n(.*?)^```$", re.MULTILINE | re.DOTALL)
TOKENS = re.compile(r'^```json\n(\{"tokens".*?)^```$', re.MULTILINE | re.DOTALL)


@pytest.fixture
def docs(pytestconfig: pytest.Config) -> Path:
    return pytestconfig.rootpath / "docs"


def section(page: str, title: str) -> str:
    return page.split(f"\n## {title}")[1].split("\n## ", maxsplit=1)[0]


def test_the_first_call_is_looked_up_with_a_token_that_may_read_calls(docs: Path) -> None:
    page = (docs / "deploy.md").read_text()
    (tokens,) = TOKENS.findall(page)
    scopes = {token["name"]: token["scopes"] for token in json.loads(tokens)["tokens"]}
    assert READ in scopes["analysts"]
    assert READ not in scopes["operations"]
    (command,) = SHELL.findall(section(page, "6. The PBX"))
    assert "/v1/calls?" in command
    assert '"Authorization: Bearer $analysts"' in command
    assert "the one of `analysts` as `$analysts`" in page


def test_where_a_tenant_is_made_its_policy_is_one_step_away(docs: Path) -> None:
    assert "](policy.md)" in section((docs / "deploy.md").read_text(), "5. A tenant")


def test_analysts_are_told_what_must_run_and_are_given_commands_that_are_there(docs: Path) -> None:
    page = (docs / "analysts.md").read_text()
    before, _, after = page.partition("\nsource .fareline/stack.env")
    assert "`make up`" in before.rpartition("```sh")[0].splitlines()[-2]
    commands = "".join(SHELL.findall(page))
    assert set(re.findall(r"(\S*python\S*) -m", commands)) == {".venv/bin/python"}
    assert "does not install the command-line programs `duckdb` and `psql`" in after
