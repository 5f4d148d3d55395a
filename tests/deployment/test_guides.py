"""What the guides tell to write down and to run is accepted: the accounts of each PBX's page, and every command of ours."""

import importlib
import json
import re

import pytest
import typer
from pydantic import ValidationError

from fareline_contracts.accounts import Account

BLOCK = re.compile(r"^```json\n(\{\"name\".*?)^```", re.MULTILINE | re.DOTALL)


def accounts(text):
    return [Account.model_validate(json.loads(block)) for block in BLOCK.findall(text)]


@pytest.mark.parametrize("kind", ["zadarma", "generic"])
def test_the_account_of_a_guide_is_one(repository_root, kind):
    text = (repository_root / "docs/pbx" / f"{kind}.md").read_text()
    (account,) = accounts(text)
    assert account.kind == kind
    with pytest.raises(ValidationError):
        accounts(text.replace('"default_region": "RU"', '"default_region": "Russia"'))


COMMAND = re.compile(
    r"(?:python -m (?P<module>order_binder|call_router|recording_ingest) |`(?=dlq ))(?P<rest>[^`|#\n]+)"
)


def unknown_commands(text):
    """Return each command of ours in `text` that does not exist, or has an option that does not; bare `dlq` is any's."""
    found = []
    for match in COMMAND.finditer(text):
        cli = importlib.import_module(f"{match['module'] or 'order_binder'}.__main__").cli
        command, words = typer.main.get_command(cli), match["rest"].split()
        while command and hasattr(command, "commands") and words:
            command = command.commands.get(words.pop(0))
        options = {name for each in (command.params if command else ()) for name in each.opts}
        asked = {word.partition("=")[0] for word in words if word.startswith("--")}
        if command is None or asked - options:
            found.append(match[0])
    return found


def test_every_command_of_the_guides_exists(repository_root):
    pages = [*sorted((repository_root / "docs").rglob("*.md")), repository_root / "README.md"]
    assert len(COMMAND.findall("".join(page.read_text() for page in pages))) > 15
    assert {page.name: found for page in pages if (found := unknown_commands(page.read_text()))} == {}


def test_a_planted_command_that_is_none_is_found():
    wrong = ["python -m order_binder dlq lsit", "python -m recording_ingest retention --aply", "`dlq replay --filter x"]
    right = ["`dlq replay --reason x --yes`", "python -m call_router run"]
    assert unknown_commands("\n".join(wrong + right)) == wrong
