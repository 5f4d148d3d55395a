"""Accounts that change while the router runs: a secret is added, an account comes and goes."""

import json

import pytest
from prometheus_client import CollectorRegistry

from call_router.inbound.observing import Observer
from call_router.pbx.loading import NoAdapter, load_pbxs
from fareline_contracts.accounts import AccountsUnusable


@pytest.fixture
def accounts(repository_root, tmp_path):
    """Give a function that writes an accounts file with these of the demo's accounts and loads it."""
    known = {
        each["name"]: each
        for each in json.loads((repository_root / "deploy/demo/accounts.json").read_text())["accounts"]
    }

    def load(*names, **changed):
        path = tmp_path / "accounts.json"
        path.write_text(json.dumps({"accounts": [known[name] | changed for name in names]}))
        return load_pbxs(path, demo=True)

    return load


def test_whoever_holds_the_mappings_goes_by_the_new_file(accounts):
    pbxs = accounts("demo-generic")
    held, facts = pbxs.adapters, pbxs.accounts
    before = held["generic", "demo-generic"]
    pbxs.become(accounts("demo-generic", "demo-zadarma"))
    assert set(held) == {("generic", "demo-generic"), ("zadarma", "demo-zadarma")}
    assert set(facts) == {"demo-generic", "demo-zadarma"}
    assert held["generic", "demo-generic"] is not before


def test_a_call_under_way_can_still_be_counted_when_its_account_is_gone(accounts):
    pbxs = accounts("demo-generic", "demo-zadarma")
    observer = Observer(CollectorRegistry(), pbxs.kinds)
    pbxs.become(accounts("demo-generic"))
    assert ("zadarma", "demo-zadarma") not in pbxs.adapters
    observer.ignored("demo-zadarma", "NOTIFY_X")


@pytest.mark.parametrize(("changed", "error"), [({"kind": "twilio"}, NoAdapter), ({"secrets": []}, AccountsUnusable)])
def test_a_file_that_cannot_be_used_is_refused_before_anything_changes(accounts, changed, error):
    pbxs = accounts("demo-generic")
    with pytest.raises(error):
        pbxs.become(accounts("demo-generic", **changed))
    assert set(pbxs.adapters) == {("generic", "demo-generic")}
