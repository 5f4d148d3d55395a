"""Audio that is brought to us, and the ledger as that changes it."""

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Protocol

from recording_ingest.domain.pushes import Raw
from recording_ingest.domain.recordings import Recording
from recording_ingest.ports.downloads import Fetched

TenantsOf = Callable[[str], Sequence[str]]
"""The tenants that an account (by name) serves; none for an account that is not configured."""


class Inbox(Protocol):
    """Where pushed audio is received."""

    async def receive(
        self, body: AsyncIterator[bytes], into: Path, *, algorithms: Sequence[str]
    ) -> tuple[Mapping[str, bytes], Fetched]:
        """Write a body to `into`, flushed to disk; return its digests by `sha-256` and `sha-512`, and what it is.

        Raises FetchFailed (too_large, source_failed where it comes too slowly).
        """

    async def with_header(self, path: Path, raw: Raw) -> Fetched:
        """Make a WAV file of the samples at `path`, in its place. Raises FetchFailed where a sample is cut."""


class CallLedger(Protocol):
    """The ledger of one call, locked against every other change until the end of the block."""

    known: Sequence[Recording]

    async def save(self, entry: Recording) -> None:
        """Write a stored recording, new or in the place of the row with its id."""


class Intake(Protocol):
    """The ledger as pushes change it."""

    async def known(self, call_id: str) -> Sequence[Recording]:
        """Return the ledger of a call as it is now."""

    async def erased(self, call_id: str) -> bool:
        """Tell whether somebody was taken out of a call, so that nothing of it is taken in any more."""

    def locked(self, call_id: str) -> AbstractAsyncContextManager[CallLedger]:
        """Lock the ledger of a call, whether the call is known or not; commit on leaving."""
