"""The accounts file of the demo with the small Zadarma's address in it."""

import json
from pathlib import Path
from urllib.parse import urlsplit

from fareline_contracts.accounts import Account, AccountsFile
from fareline_devstack.story.fake_zadarma import FakeZadarma
from fareline_devstack.story.theatre import ZADARMA_ACCOUNT


def demo_account(demo_accounts: Path) -> Account:
    """Return the Zadarma account of the demo's accounts file."""
    found = AccountsFile.model_validate_json(demo_accounts.read_bytes()).accounts
    return next(account for account in found if account.name == ZADARMA_ACCOUNT)


def fake_zadarma_for(demo_accounts: Path, *, listen: str = "127.0.0.1", name: str = "127.0.0.1") -> FakeZadarma:
    """Return a small Zadarma that knows the key and secret of the demo's account; it does not listen yet."""
    source = demo_account(demo_accounts).recordings
    if source.api_key is None or source.api_secret is None:
        raise ValueError(f"{demo_accounts}: {ZADARMA_ACCOUNT} has no api_key and api_secret")
    key, secret = source.api_key.get_secret_value(), source.api_secret.get_secret_value()
    return FakeZadarma(key=key, secret=secret, listen=listen, name=name)


def write_accounts(demo_accounts: Path, *, api_base: str, to: Path) -> Path:
    """Write the demo's accounts with `api_base` as the Zadarma REST API to `to`, readable by its owner only."""
    document = json.loads(demo_accounts.read_bytes())
    for account in document["accounts"]:
        if account["name"] == ZADARMA_ACCOUNT:
            account["recordings"]["api_base"] = api_base
            account["recordings"]["allowed_hosts"] = [urlsplit(api_base).hostname]
    to.parent.mkdir(parents=True, exist_ok=True)
    to.touch(mode=0o600)
    to.write_text(json.dumps(document, indent=1))
    return to
