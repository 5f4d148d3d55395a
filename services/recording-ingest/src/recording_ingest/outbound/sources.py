"""Where each account's recordings come from: the announced URL, or Zadarma's request for a link."""

import base64
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from recording_ingest.domain.addresses import HostRules
from recording_ingest.domain.recordings import Reason, Recording
from recording_ingest.domain.zadarma import LINK_LIFETIME_S, RECORD_REQUEST, authorization, links, signed_query
from recording_ingest.outbound.downloads import Downloader
from recording_ingest.ports import Fetched, FetchFailed

_OK = 200
_REFUSED = frozenset({401, 403})


@dataclass(frozen=True, slots=True)
class SourceAccount:
    """What one account's PBX needs: the hosts allowed, and the keys of its REST API. `kind` as in the accounts file."""

    kind: str
    rules: HostRules
    api_base: str | None = None
    api_key: str | None = None
    api_secret: str | None = None


class AccountSources:
    """Fetches a recording the way its account's PBX wants it."""

    def __init__(self, accounts: Mapping[str, SourceAccount], downloader: Downloader) -> None:
        self._accounts = accounts
        self._downloader = downloader

    async def fetch(self, entry: Recording, into: Path) -> Fetched:
        """Write the recording's file to `into`. Raises FetchFailed."""
        account = self._accounts.get(entry.account)
        if account is None:
            raise FetchFailed(Reason.SOURCE_FAILED, f"account {entry.account} is not configured")
        if entry.url:
            return await self._downloader.download(entry.url, into, account.rules, _media_headers(account, entry.url))
        if account.kind == "zadarma":
            link = await self._zadarma_link(account, entry)
            return await self._downloader.download(link, into, account.rules, {})
        raise FetchFailed(Reason.NOT_FOUND, "announced without a URL, and this PBX has no request for one")

    async def _zadarma_link(self, account: SourceAccount, entry: Recording) -> str:
        if not (account.api_base and account.api_key and account.api_secret):
            raise FetchFailed(Reason.SOURCE_FAILED, "the account has no api_base, api_key and api_secret")
        which = {"call_id": entry.source_id} if entry.source_id else {"pbx_call_id": entry.pbx_call_id}
        query = signed_query({**which, "lifetime": str(LINK_LIFETIME_S)})
        signed = authorization(account.api_key, account.api_secret, RECORD_REQUEST, query)
        rules = HostRules(frozenset({urlsplit(account.api_base).hostname or ""}), private=account.rules.private)
        status, document, retry_after = await self._downloader.document(
            f"{account.api_base.rstrip('/')}{RECORD_REQUEST}?{query}", rules, {"Authorization": signed}
        )
        found = links(document) if status == _OK else []
        if found:
            return found[0]
        if status in _REFUSED:
            raise FetchFailed(Reason.SOURCE_FAILED, f"the PBX refused the request for a link with {status}")
        if status in (_OK, 404):
            raise FetchFailed(Reason.NOT_FOUND, "the PBX has no link (yet)", retry_after=retry_after)
        raise FetchFailed(
            Reason.SOURCE_FAILED, f"the PBX answered {status} to the request for a link", retry_after=retry_after
        )


def _media_headers(account: SourceAccount, url: str) -> dict[str, str]:
    """Return Twilio's basic authentication, for its own API host only."""
    if account.kind != "twilio" or not (account.api_key and account.api_secret):
        return {}
    own = urlsplit(account.api_base or "https://api.twilio.com")
    if (urlsplit(url).scheme, urlsplit(url).netloc) != (own.scheme, own.netloc):
        return {}
    word = base64.b64encode(f"{account.api_key}:{account.api_secret}".encode()).decode()
    return {"Authorization": f"Basic {word}"}
