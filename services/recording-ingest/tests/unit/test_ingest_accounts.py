"""The accounts that a running recording-ingest goes by."""

from datetime import timedelta

import pytest

from fareline_contracts.accounts import load_accounts
from recording_ingest.outbound.accounts import AccountBook


@pytest.fixture
def accounts(repository_root):
    return load_accounts(repository_root / "deploy" / "demo" / "accounts.json", demo=True)


def book(accounts):
    return AccountBook(accounts, demo=True, ready_delay=timedelta(seconds=15))


def test_a_changed_file_reaches_whoever_downloads(accounts):
    known = book({"demo-generic": accounts["demo-generic"]})
    held = known.sources
    assert known.tenants_of("demo-zadarma") == ()
    known.become({"demo-zadarma": accounts["demo-zadarma"]})
    assert set(held) == {"demo-zadarma"}
    assert known.tenants_of("demo-zadarma") == ("demo", "solo")
    assert known.waits_of("demo-zadarma").after_ready == timedelta(seconds=15)


def test_accounts_bounded_in_bytes_are_told(accounts):
    bounded = accounts["demo-generic"].recordings.model_copy(update={"retention_bytes": 10**9})
    known = book(accounts | {"demo-generic": accounts["demo-generic"].model_copy(update={"recordings": bounded})})
    assert known.spaces() == {"demo-generic": 10**9}
    known.become(accounts)
    assert known.spaces() == {}


def test_an_account_that_is_gone_has_nothing_to_wait_for(accounts):
    known = book(accounts)
    known.become({})
    assert known.waits_of("demo-zadarma").after_ready == timedelta(0)
    assert known.sources == {}
