"""Find the adapter of an account by its kind."""

from importlib import import_module
from importlib.util import find_spec

from call_router.domain.inventory import Account
from call_router.ports import PbxAdapter
from fareline_contracts.accounts import Account as AccountEntry


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
