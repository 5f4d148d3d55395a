"""Fold new call events into the call log and the ledger of recordings."""

import asyncio
from collections import defaultdict
from collections.abc import Sequence

from recording_ingest.domain.calls import CallRow
from recording_ingest.domain.events import Ready
from recording_ingest.domain.projection import of_kind, ordered, row_of
from recording_ingest.domain.recordings import Recording, reconcile
from recording_ingest.ports.calls import CallLog, KeptEvent, WaitsOf

_LANES = 3
_WORTH_LANES = 50


async def project_calls(log: CallLog, batch: Sequence[KeptEvent], waits_of: WaitsOf) -> None:
    """Bring rows and ledger up to date with `batch`. Doing it again changes nothing.

    Each call is in one transaction with its ledger. A large batch is three transactions side by side, split by call, so
    that one is folded while the database works on the others; where one fails the batch has to come again.
    """
    lanes = _lanes(batch) if len(batch) >= _WORTH_LANES else [batch]
    ends = await asyncio.gather(*(_project(log, lane, waits_of) for lane in lanes if lane), return_exceptions=True)
    for end in ends:
        if end is not None:
            raise end


async def _project(log: CallLog, batch: Sequence[KeptEvent], waits_of: WaitsOf) -> None:
    async with log.projection(batch) as projection:
        rows: list[CallRow] = []
        owed: list[Recording] = []
        for call_id, events in projection.stories.items():
            story = ordered(events)
            row = row_of(story)
            rows.append(row)
            owed += reconcile(row, of_kind(story, Ready), projection.ledger.get(call_id, ()), waits_of(row.account))
        await projection.save(rows, owed)


def _lanes(batch: Sequence[KeptEvent]) -> Sequence[Sequence[KeptEvent]]:
    lane_of: dict[str, int] = defaultdict(lambda: len(lane_of) % _LANES)
    lanes: list[list[KeptEvent]] = [[] for _ in range(_LANES)]
    for kept in batch:
        lanes[lane_of[kept.event.head.call_id]].append(kept)
    return lanes
