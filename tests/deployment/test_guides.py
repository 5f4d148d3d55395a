"""What the guides tell to write down is accepted: the accounts of each PBX's page."""

import json
import re

import pytest
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
