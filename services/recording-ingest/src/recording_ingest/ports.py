"""What the use cases need from the outside, and the errors in which it may fail."""

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Protocol

from recording_ingest.domain.calls import CallRow
from recording_ingest.domain.events import CallEvent
from recording_ingest.domain.keeping import Due, Hold, Person, Receipt
from recording_ingest.domain.pushes import Raw
from recording_ingest.domain.recordings import Audio, Reason, Recording, Waits
from recording_ingest.domain.search import CallFilter, Line, Listed

Clock = Callable[[], datetime]
WaitsOf = Callable[[str], Waits]
"""How the PBX of an account (by name) behaves; accounts that are not configured any more get the defaults."""


TenantsOf = Callable[[str], Sequence[str]]
"""The tenants that an account (by name) serves; none for an account that is not configured."""


@dataclass(frozen=True, slots=True)
class KeptEvent:
    """An event with the document it was made of, as it is kept for folding again."""

    event: CallEvent
    kind: str
    data: Mapping[str, Any]
    traceparent: str | None = None


class Projection(Protocol):
    """One transaction over the calls of a batch, locked against every other one."""

    stories: Mapping[str, Sequence[CallEvent]]
    """All events of each call, the batch's included."""
    ledger: Mapping[str, Sequence[Recording]]
    """The recordings known of each call."""

    async def save(self, rows: Sequence[CallRow], recordings: Sequence[Recording]) -> None:
        """Write the rows, and the ledger entries that changed."""


class CallLog(Protocol):
    """The projection's tables."""

    def projection(self, batch: Sequence[KeptEvent]) -> AbstractAsyncContextManager[Projection]:
        """Keep each event once by its account and `ce_id`; commit on leaving, roll back on an error."""


class TakesTooLong(Exception):
    """A question that was given up because it would occupy the database for too long."""


class CallFinder(Protocol):
    """The call log as it is read. Every method may raise TakesTooLong."""

    async def page(self, wanted: CallFilter, *, in_full: bool) -> Sequence[Line]:
        """Return at most `wanted.limit + 1` calls, newest first, from the cursor on; phones masked or `in_full`."""

    async def call(self, call_id: str) -> Listed | None:
        """Return one call."""

    async def calls_of_order(self, tenant: str, order_id: str, *, in_full: bool) -> Sequence[Line]:
        """Return every call of an order, oldest first (at most 1000), each with its `attempt`."""

    async def stats(self, wanted: CallFilter, group_by: str, tz: str) -> Sequence[Line]:
        """Return the measures of the calls asked for, by `group_by`; days and hours are those of the time zone."""

    async def story(self, call_id: str) -> Sequence[CallEvent]:
        """Return every event of a call, in no order."""

    async def recordings(self, call_id: str) -> Sequence[Recording]:
        """Return the ledger entries of a call, by part."""


class RecordingFinder(Protocol):
    """The ledger as it is read, and who read it."""

    async def recording(self, recording_id: str) -> Recording | None:
        """Return one ledger entry."""

    async def log_access(self, access: "Access") -> None:
        """Write the audit row; returns when it is committed."""

    async def accesses(self, recording_id: str) -> Sequence["NotedAccess"]:
        """Return the audit rows of a recording, oldest first."""


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


class StoreLost(Exception):
    """The ledger names an object that storage does not have."""


class Announcer(Protocol):
    """Tells others what became of recordings."""

    async def announce(self, facts: Sequence["Fact"]) -> None:
        """Send all and wait for Kafka's acknowledgement."""


@dataclass(frozen=True, slots=True)
class Fact:
    """A recording whose state changed for good, at the ledger's `revision`."""

    entry: Recording
    revision: int
    order_id: str | None
    at: datetime
    traceparent: str | None


class Facts(Protocol):
    """The facts that were not told yet."""

    async def untold(self, limit: int) -> Sequence[Fact]:
        """Return facts not yet marked, oldest first."""

    async def mark_told(self, facts: Sequence[Fact]) -> None:
        """Note that these revisions are out."""
