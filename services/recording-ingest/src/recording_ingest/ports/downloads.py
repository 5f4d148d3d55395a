"""The ledger as a queue, where audio comes from, and how it is told from what is none."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Protocol

from recording_ingest.domain.recordings import Audio, Reason, Recording


@dataclass(frozen=True, slots=True)
class Job:
    """A ledger entry leased to one worker; `lease` is the proof."""

    entry: Recording
    lease: str


class Queue(Protocol):
    """The ledger as a queue of downloads."""

    async def lease(self, limit: int, *, lease_for: timedelta) -> Sequence[Job]:
        """Take due entries, those first that their PBX deletes first; each counts as an attempt."""

    async def renew(self, job: Job, *, lease_for: timedelta) -> bool:
        """Keep a job; False when the lease was lost."""

    async def finish(self, job: Job, outcome: Recording, beside: Sequence[Recording] = ()) -> bool:
        """Write the outcome and end the lease; False, and nothing written, when the lease was lost.

        `beside`: further recordings of the call that came to light; those known already stay as they are.
        """


@dataclass(frozen=True, slots=True)
class Fetched:
    """A whole file on local disk. `beside`: the names of further files that the PBX has of the same call."""

    sha256: str
    size_bytes: int
    beside: tuple[str, ...] = ()


class FetchFailed(Exception):
    """An attempt that brought no usable audio. `final`: another one would not either."""

    def __init__(
        self, reason: Reason, detail: str, *, final: bool = False, retry_after: timedelta | None = None
    ) -> None:
        super().__init__(f"{reason}: {detail}")
        self.reason = reason
        self.detail = detail
        self.final = final
        self.retry_after = retry_after


class Source(Protocol):
    """Where an account's recordings come from."""

    async def fetch(self, entry: Recording, into: Path) -> Fetched:
        """Write the recording's file to `into`, flushed to disk. Raises FetchFailed."""


class AudioReader(Protocol):
    """Decodes a file somewhere it can do no harm."""

    async def read(self, path: Path) -> Audio:
        """Return what the whole file holds. Raises FetchFailed (not_audio, incomplete)."""
