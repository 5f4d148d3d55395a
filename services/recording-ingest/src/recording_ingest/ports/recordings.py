"""The ledger as it is read, and the log of who read it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from recording_ingest.domain.recordings import Recording


@dataclass(frozen=True, slots=True)
class Access:
    """Who is about to be given which bytes of a recording. `byte_range` as in Content-Range; None for the whole."""

    recording_id: str
    call_id: str
    tenant: str | None
    actor: str
    action: str
    byte_range: str | None
    at: datetime


@dataclass(frozen=True, slots=True)
class NotedAccess:
    """A row of the access log. `intact`: its content is what its hash was made of."""

    access: Access
    intact: bool


class RecordingFinder(Protocol):
    """The ledger as it is read, and who read it."""

    async def recording(self, recording_id: str) -> Recording | None:
        """Return one ledger entry."""

    async def log_access(self, access: "Access") -> None:
        """Write the audit row; returns when it is committed."""

    async def accesses(self, recording_id: str) -> Sequence["NotedAccess"]:
        """Return the audit rows of a recording, oldest first."""
