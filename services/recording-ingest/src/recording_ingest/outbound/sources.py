"""Where each account's recordings come from: the announced URL, or Zadarma's request for a link."""

import base64
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path, PurePosixPath
from urllib.parse import urlsplit, urlunsplit

from recording_ingest.domain.addresses import HostRules
from recording_ingest.domain.recordings import Reason, Recording, name_beside
from recording_ingest.domain.zadarma import LINK_LIFETIME_S, RECORD_REQUEST, authorization, choose, links, signed_query
from recording_ingest.outbound.downloads import Downloader
from recording_ingest.ports.downloads import Fetched, FetchFailed

Turn = Callable[[str, timedelta], Awaitable[None]]
"""Waits for an account's turn to ask its PBX's API, `every` so often over all processes."""
_OK = 200
_REFUSED = frozenset({401, 403})


async def at_once(account: str, every: timedelta) -> None:
    """Wait for nobody."""


@dataclass(frozen=True, slots=True)
class SourceAccount:
    """What one account's PBX needs: the hosts allowed, and the keys of its REST API. `kind` as in the accounts file."""

    kind: str
    rules: HostRules
    api_base: str | None = None
    api_key: str | None = None
    api_secret: str | None = None
    every: timedelta = timedelta(0)
    audio_format: str | None = None


class AccountSources:
    """Fetches a recording the way its account's PBX wants it."""

    def __init__(self, accounts: Mapping[str, SourceAccount], downloader: Downloader, turn: Turn = at_once) -> None:
        self._accounts = accounts
        self._downloader = downloader
        self._turn = turn

    async def fetch(self, entry: Recording, into: Path) -> Fetched:
        """Write the recording's file to `into`. Raises FetchFailed."""
        account = self._accounts.get(entry.account)
        if account is None:
            raise FetchFailed(Reason.SOURCE_FAILED, f"account {entry.account} is not configured")
        if entry.url:
            url = _media_url(account, entry.url)
            return await self._downloader.download(url, into, account.rules, _media_headers(account, url))
        if account.kind == "zadarma":
            link, beside = await self._zadarma_link(account, entry)
            fetched = await self._downloader.download(link, into, account.rules, {})
            return replace(fetched, beside=beside)
        raise FetchFailed(Reason.NOT_FOUND, "announced without a URL, and this PBX has no request for one")

    async def _zadarma_link(self, account: SourceAccount, entry: Recording) -> tuple[str, tuple[str, ...]]:
        if not (account.api_base and account.api_key and account.api_secret):
            raise FetchFailed(Reason.SOURCE_FAILED, "the account has no api_base, api_key and api_secret")
        await self._turn(entry.account, account.every)
        query = signed_query({**_which(entry), "lifetime": str(LINK_LIFETIME_S)})
        signed = authorization(account.api_key, account.api_secret, RECORD_REQUEST, query)
        rules = HostRules(frozenset({urlsplit(account.api_base).hostname or ""}), private=account.rules.private)
        status, document, retry_after = await self._downloader.document(
            f"{account.api_base.rstrip('/')}{RECORD_REQUEST}?{query}", rules, {"Authorization": signed}
        )
        link, beside = choose(links(document) if status == _OK else [], name_beside(entry))
        if link:
            return link, () if entry.source_id else beside
        raise _no_link(status, retry_after)


def _which(entry: Recording) -> dict[str, str]:
    if entry.source_id and name_beside(entry) is None:
        return {"call_id": entry.source_id}
    return {"pbx_call_id": entry.pbx_call_id}


def _no_link(status: int, retry_after: timedelta | None) -> FetchFailed:
    if status in _REFUSED:
        return FetchFailed(Reason.SOURCE_FAILED, f"the PBX refused the request for a link with {status}")
    if status in (_OK, 404):
        return FetchFailed(Reason.NOT_FOUND, "the PBX has no link (yet)", retry_after=retry_after)
    detail = f"the PBX answered {status} to the request for a link"
    return FetchFailed(Reason.SOURCE_FAILED, detail, retry_after=retry_after)


def _media_url(account: SourceAccount, url: str) -> str:
    """Return Twilio's URL with the extension of the form wanted; every other URL as it is."""
    parts = urlsplit(url)
    if account.kind != "twilio" or not account.audio_format or PurePosixPath(parts.path).suffix:
        return url
    return urlunsplit(parts._replace(path=f"{parts.path}.{account.audio_format}"))


def _media_headers(account: SourceAccount, url: str) -> dict[str, str]:
    """Return Twilio's basic authentication, for its own API host only."""
    if account.kind != "twilio" or not (account.api_key and account.api_secret):
        return {}
    own = urlsplit(account.api_base or "https://api.twilio.com")
    if (urlsplit(url).scheme, urlsplit(url).netloc) != (own.scheme, own.netloc):
        return {}
    word = base64.b64encode(f"{account.api_key}:{account.api_secret}".encode()).decode()
    return {"Authorization": f"Basic {word}"}
