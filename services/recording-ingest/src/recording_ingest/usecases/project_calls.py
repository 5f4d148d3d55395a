"""Fold new call events into the call log and the ledger of recordings."""

from collections.abc import Sequence

from recording_ingest.domain.calls import CallRow
from recording_ingest.domain.events import Ready
from recording_ingest.domain.projection import fold, of_kind, ordered
from recording_ingest.domain.recordings import Recording, reconcile
from recording_ingest.ports import CallLog, KeptEvent, WaitsOf


async def project_calls(log: CallLog, batch: Sequence[KeptEvent], waits_of: WaitsOf) -> None:
    """Bring rows and ledger up to date with `batch`, in one transaction. Doing it again changes nothing."""
    if not batch:
        return
    async with log.projection(batch) as projection:
        rows: list[CallRow] = []
        owed: list[Recording] = []
        for call_id, events in projection.stories.items():
            story = ordered(events)
            row = fold(story)
            rows.append(row)
            owed += reconcile(row, of_kind(story, Ready), projection.ledger.get(call_id, ()), waits_of(row.account))
        await projection.save(rows, owed)
