"""The accounts file as the values that downloads and the ledger need."""

from collections.abc import Mapping
from datetime import timedelta

from fareline_contracts.accounts import Account, AccountKind
from recording_ingest.domain.addresses import HostRules
from recording_ingest.domain.recordings import Waits
from recording_ingest.domain.retries import FIRST_LOOK_AFTER_END
from recording_ingest.domain.zadarma import REQUESTS_PER_MINUTE
from recording_ingest.outbound.sources import SourceAccount


class AccountBook:
    """The accounts this process knows, by name."""

    def __init__(self, accounts: Mapping[str, Account], *, demo: bool, ready_delay: timedelta) -> None:
        """`ready_delay` is the pause before a link is asked for; private hosts are allowed in the `demo` only."""
        self._demo = demo
        self._ready_delay = ready_delay
        self._accounts: Mapping[str, Account] = {}
        self.sources: dict[str, SourceAccount] = {}
        self.become(accounts)

    def become(self, accounts: Mapping[str, Account]) -> None:
        """Go by these accounts from now on. `sources`, where recordings come from, stays the same mapping."""
        sources = {name: self._source(account) for name, account in accounts.items()}
        self._accounts = accounts
        self.sources.clear()
        self.sources.update(sources)

    def waits_of(self, name: str) -> Waits:
        """Return how an account's PBX behaves; one that is not in the file any more has nothing to wait for."""
        account = self._accounts.get(name)
        if account is None:
            return Waits()
        days = account.recordings.retention_days
        return Waits(
            after_ready=self._ready_delay,
            retention=timedelta(days=days) if days else None,
            after_end=FIRST_LOOK_AFTER_END if _can_be_asked(account) else None,
        )

    def spaces(self) -> dict[str, int]:
        """Return how many bytes the PBX of an account keeps, by account, of those that are bounded so."""
        bounds = {name: account.recordings.retention_bytes for name, account in self._accounts.items()}
        return {name: bound for name, bound in bounds.items() if bound}

    def tenants_of(self, name: str) -> tuple[str, ...]:
        """Return the tenants that an account serves; none for one that is not in the file."""
        account = self._accounts.get(name)
        return account.tenants if account else ()

    def _source(self, account: Account) -> SourceAccount:
        source = account.recordings
        return SourceAccount(
            kind=account.kind,
            rules=HostRules(
                hosts=frozenset(host.lower() for host in source.allowed_hosts),
                private=self._demo and source.allow_private_hosts,
            ),
            api_base=source.api_base,
            api_key=source.api_key.get_secret_value() if source.api_key else None,
            api_secret=source.api_secret.get_secret_value() if source.api_secret else None,
            every=timedelta(minutes=1) / (source.requests_per_minute or REQUESTS_PER_MINUTE),
            audio_format=source.audio_format,
        )


def _can_be_asked(account: Account) -> bool:
    source = account.recordings
    return account.kind is AccountKind.ZADARMA and bool(source.api_base and source.api_key and source.api_secret)
