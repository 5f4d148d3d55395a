"""The ledger as it is read."""

from typing import Protocol

from recording_ingest.domain.recordings import Recording
from recording_ingest.ports.access_log import AccessLog


class RecordingFinder(AccessLog, Protocol):
    """The ledger as it is read, and who read it."""

    async def recording(self, recording_id: str) -> Recording | None:
        """Return one ledger entry."""
