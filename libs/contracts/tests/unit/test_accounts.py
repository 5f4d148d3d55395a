"""The accounts file: what is refused, and that no secret stands in the message."""

import json
from pathlib import Path

import pytest

from fareline_contracts.accounts import AccountsUnusable, load_accounts

DEMO = Path(__file__).parents[4] / "deploy/demo/accounts.json"
ENTRY = {"name": "a", "kind": "generic", "tenants": ["demo"], "secrets": ["s3cret-value"], "default_region": "RU"}


def written(path, *entries):
    file = path / "accounts.json"
    file.write_text(json.dumps({"accounts": entries}))
    return file


def test_the_demo_accounts_load_in_the_demo_only():
    assert {"demo-zadarma", "demo-generic"} <= load_accounts(DEMO, demo=True).keys()
    with pytest.raises(AccountsUnusable, match="FARELINE_DEMO=1"):
        load_accounts(DEMO, demo=False)


def test_secrets_do_not_show(tmp_path):
    (account,) = load_accounts(written(tmp_path, ENTRY), demo=False).values()
    assert "s3cret" not in repr(account)


@pytest.mark.parametrize(
    ("entries", "place"),
    [
        ([{**ENTRY, "kind": "fax"}], "accounts/0/kind"),
        ([ENTRY, {**ENTRY, "secrets": []}], "accounts/1/secrets"),
        ([{**ENTRY, "recordings": {"retention_bytes": 0}}], "accounts/0/recordings/retention_bytes"),
        ([ENTRY, ENTRY], "given twice"),
    ],
)
def test_a_bad_file_is_refused_by_place(tmp_path, entries, place):
    with pytest.raises(AccountsUnusable, match=place) as caught:
        load_accounts(written(tmp_path, *entries), demo=False)
    assert "s3cret" not in str(caught.value)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(AccountsUnusable, match=r"nowhere\.json: No such file"):
        load_accounts(tmp_path / "nowhere.json", demo=True)
