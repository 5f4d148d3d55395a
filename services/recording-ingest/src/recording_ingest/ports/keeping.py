"""What is kept for how long, what is held, and who is forgotten."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from recording_ingest.domain.keeping import Due, Hold, Person, Receipt
from recording_ingest.domain.recordings import Recording


class Keeping(Protocol):
    """What is kept for how long. Everything may be done twice, and by several processes at once."""

    async def due(self, now: datetime) -> Sequence[Due]:
        """Return what retention would remove now, by tenant."""

    async def let_recordings_go(self, now: datetime, limit: int) -> int:
        """Mark recordings whose time is over as deleted; return how many."""

    async def old_calls(self, now: datetime, limit: int) -> Sequence[str]:
        """Return calls whose time is over and that nobody holds, each tenant's oldest first."""

    async def let_audio_go(self, call_ids: Sequence[str]) -> int:
        """Mark every recording of these calls as deleted, apart from those held; return how many were stored."""

    async def let_calls_go(self, call_ids: Sequence[str]) -> int:
        """Remove those of these calls whose audio is gone and that nobody holds, with their events; return how many."""

    async def to_purge(self, limit: int) -> Sequence[str]:
        """Return keys of objects whose recordings are deleted."""

    async def purged(self, keys: Sequence[str]) -> None:
        """Note that these objects are gone."""

    async def orphans(self, keys: Sequence[str]) -> Sequence[str]:
        """Return those keys that no recording names or may still come to name."""


class Holds(Protocol):
    """Legal holds: each call has one or none."""

    async def hold(self, call_id: str) -> Hold | None:
        """Return the hold on a call."""

    async def holds(self, tenants: Sequence[str] | None) -> Sequence[Hold]:
        """Return the holds of some tenants (None: of all), the oldest 1000."""

    async def place_hold(self, hold: Hold) -> bool:
        """Put a call on hold; False where it was already, which stays as it was."""

    async def lift_hold(self, call_id: str, *, actor: str, now: datetime) -> bool:
        """Let a call go; False where there was no hold."""


class Erasures(Protocol):
    """Requests to forget somebody."""

    async def ask(self, person: Person, *, actor: str, now: datetime, topics_clear_at: datetime) -> str:
        """Write the request down and return its id."""

    async def receipt(self, erasure_id: str) -> Receipt | None:
        """Return what was done so far."""

    async def open(self, now: datetime) -> Sequence[str]:
        """Return the ids of requests that may find something: unfinished, held, or before their topics are clear."""

    async def erase_some(self, erasure_id: str, limit: int) -> int:
        """Take the person out of at most `limit` calls that were before the request; return how many there were."""

    async def erase_late(self, now: datetime, limit: int) -> int:
        """Take out again what arrived late for calls that were erased; return how many calls that concerned."""

    async def finish(self, erasure_id: str, now: datetime) -> None:
        """Note that nothing is left to do, apart from what a hold keeps."""

    async def recently_erased(self, now: datetime) -> Sequence[Recording]:
        """Return recordings of calls erased within the last hours, whose downloads may have been under way."""
