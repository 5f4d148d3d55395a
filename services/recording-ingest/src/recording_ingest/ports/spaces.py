"""What PBXs hold that keep a number of bytes."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from recording_ingest.domain.space import Space, Waiting


class Spaces(Protocol):
    """What the ledger knows of the space of PBXs, and what is said of recordings there."""

    async def space(self, account: str, size_bytes: int, now: datetime) -> Space:
        """Return how the space of an account, `size_bytes` in all, fills."""

    async def waiting(self, account: str) -> Sequence[Waiting]:
        """Return the account's recordings that are not stored, oldest first."""

    async def note(self, estimates: Sequence[tuple[str, datetime | None]]) -> None:
        """Write when recordings are pushed out."""

    async def only(self, accounts: Sequence[str]) -> None:
        """Take back what was said of recordings of other accounts."""
