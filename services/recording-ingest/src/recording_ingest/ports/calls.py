"""The call log, as it is written and as it is read."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Any, Protocol

from recording_ingest.domain.calls import CallRow
from recording_ingest.domain.events import CallEvent
from recording_ingest.domain.recordings import Recording, Waits
from recording_ingest.domain.search import CallFilter, Line, Listed

WaitsOf = Callable[[str], Waits]
"""How the PBX of an account (by name) behaves; accounts that are not configured any more get the defaults."""


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


class Refolding(Projection, Protocol):
    """One transaction over calls that are folded again from their kept events; their ledger is not looked at."""

    rows: Mapping[str, CallRow]
    """The rows as they stand; a call may have none."""


class KeptCalls(Protocol):
    """The events that are kept, call by call."""

    async def calls_after(self, call_id: str, limit: int) -> Sequence[str]:
        """Return the ids of the next calls of which events are kept, in their order; "" comes before all."""

    def again(self, call_ids: Sequence[str]) -> AbstractAsyncContextManager[Refolding]:
        """Lock calls, with all their events and their rows; commit on leaving, roll back on an error."""


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
