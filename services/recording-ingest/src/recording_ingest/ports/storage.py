"""Where audio is kept."""

from collections.abc import AsyncIterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import Protocol

from recording_ingest.ports.downloads import Fetched


class StoreLost(Exception):
    """The ledger names an object that storage does not have."""


class Store(Protocol):
    """The object storage."""

    def scratch(self, name: str) -> Path:
        """Return a local path for a file in the making; whatever an earlier attempt left there is gone."""

    async def recover(self, key: str, into: Path) -> Fetched | None:
        """Copy what is already published under `key` to `into`; None when there is nothing."""

    async def publish(self, path: Path, key: str) -> bool:
        """Put the file at `key`, durably and as a whole; False where something is published already, which stays."""

    def read(self, key: str, start: int, end: int) -> AsyncIterator[bytes]:
        """Yield the bytes from `start` up to, not including, `end`."""

    async def remove(self, keys: Sequence[str]) -> None:
        """Remove published objects; those that are not there are passed over."""

    def published(self, *, before: datetime) -> AsyncIterator[list[str]]:
        """Yield the keys of objects that were published before a time, some hundreds at once."""
