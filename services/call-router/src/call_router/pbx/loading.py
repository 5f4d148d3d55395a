"""Read the accounts file, and find the adapter of each account by its kind."""

from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

from call_router.domain.inventory import Account
from call_router.ports import PbxAdapter
from fareline_contracts.accounts import Account as AccountEntry
from fareline_contracts.accounts import load_accounts


class NoAdapter(Exception):
    """An account names a kind of PBX that this version does not speak with."""


def facts_of(entry: AccountEntry) -> Account:
    """Return what the rules need to know of an account."""
    return Account(
        name=entry.name,
        tenants=frozenset(entry.tenants),
        region=entry.default_region,
        default_route=entry.default_route,
        can_ask=entry.can_ask,
        can_announce=entry.can_announce,
    )


def load_adapter(entry: AccountEntry) -> PbxAdapter:
    """Return the adapter for one account; raises NoAdapter."""
    module = f"{__package__}.{entry.kind.value}"
    if find_spec(module) is None:
        raise NoAdapter(f"{entry.name}: there is no adapter for PBXs of kind {entry.kind.value}")
    made: PbxAdapter = import_module(module).adapter(entry, facts_of(entry))
    return made


@dataclass(frozen=True, slots=True)
class Pbxs:
    """All configured PBXs: what the rules know of each by account name, and adapters by (kind, account name).

    `kinds` has each account's kind of PBX, and keeps those that are configured no more, for calls under way.
    """

    accounts: dict[str, Account]
    adapters: dict[tuple[str, str], PbxAdapter]
    kinds: dict[str, str]

    def of_account(self, name: str) -> PbxAdapter:
        """Return the adapter of a configured account."""
        return self.adapters[self.kinds[name], name]

    def become(self, newer: "Pbxs") -> None:
        """Take over another file's PBXs in place: whoever holds these mappings goes by it from the next call on.

        What an adapter had observed of its PBX, its clock and its busy lines, is observed anew.
        """
        self.kinds.update(newer.kinds)
        self.accounts.clear()
        self.accounts.update(newer.accounts)
        self.adapters.clear()
        self.adapters.update(newer.adapters)


def load_pbxs(path: Path, *, demo: bool) -> Pbxs:
    """Return the PBXs of an accounts file; raises AccountsUnusable or NoAdapter."""
    entries = load_accounts(path, demo=demo)
    return Pbxs(
        accounts={name: facts_of(entry) for name, entry in entries.items()},
        adapters={(entry.kind.value, name): load_adapter(entry) for name, entry in entries.items()},
        kinds={name: entry.kind.value for name, entry in entries.items()},
    )
