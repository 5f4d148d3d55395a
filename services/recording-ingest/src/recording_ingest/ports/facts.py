"""What others are told of recordings."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from recording_ingest.domain.recordings import Recording


@dataclass(frozen=True, slots=True)
class Fact:
    """A recording whose state changed for good, at the ledger's `revision`."""

    entry: Recording
    revision: int
    order_id: str | None
    at: datetime
    traceparent: str | None


class Announcer(Protocol):
    """Tells others what became of recordings."""

    async def announce(self, facts: Sequence["Fact"]) -> None:
        """Send all and wait for Kafka's acknowledgement."""


class Facts(Protocol):
    """The facts that were not told yet."""

    async def untold(self, limit: int) -> Sequence[Fact]:
        """Return facts not yet marked, oldest first."""

    async def mark_told(self, facts: Sequence[Fact]) -> None:
        """Note that these revisions are out."""
