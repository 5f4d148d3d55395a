"""Addresses of recordings at rest: PBXs put callers' phones into file names, so the ledger keeps them sealed."""

import base64
from dataclasses import replace
from pathlib import Path
from typing import Final

from recording_ingest.domain.recordings import Recording
from recording_ingest.outbound.phone_vault import PhoneVault
from recording_ingest.ports.downloads import Fetched, Source

_SEALED: Final = "sealed:"


def sealed_address(url: str | None, call_id: str, vault: PhoneVault) -> str | None:
    """Return an address as the ledger keeps it; one that is sealed already stays as it is."""
    if url is None or url.startswith(_SEALED):
        return url
    return _SEALED + base64.b64encode(vault.seal(url, of=call_id)).decode()


def opened_address(kept: str | None, call_id: str, vault: PhoneVault) -> str | None:
    """Return the address behind what the ledger keeps. Raises Unreadable."""
    if kept is None or not kept.startswith(_SEALED):
        return kept
    return vault.open(base64.b64decode(kept.removeprefix(_SEALED)), of=call_id).decode()


class OpenedAddresses:
    """A source that is given entries as the ledger keeps them."""

    def __init__(self, source: Source, vault: PhoneVault) -> None:
        self._source = source
        self._vault = vault

    async def fetch(self, entry: Recording, into: Path) -> Fetched:
        """Fetch from the address in clear, as `source` does."""
        url = opened_address(entry.url, entry.call_id, self._vault)
        return await self._source.fetch(replace(entry, url=url), into)
