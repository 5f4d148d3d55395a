"""Fold every call again from its kept events, so that rows follow rules that changed."""

from dataclasses import dataclass

from recording_ingest.domain.projection import fold
from recording_ingest.ports.calls import KeptCalls

_AT_ONCE = 200


@dataclass(frozen=True, slots=True)
class Refolded:
    """How many calls were folded, and how many rows came out otherwise."""

    calls: int
    changed: int


async def refold_calls(log: KeptCalls) -> Refolded:
    """Write the rows that are not the fold of their events; the others keep their `updated_at`.

    Runs beside the service, may be stopped and begun again, and leaves the ledger of recordings alone.
    """
    calls = changed = 0
    last = ""
    while some := await log.calls_after(last, _AT_ONCE):
        async with log.again(some) as projection:
            rows = [fold(events) for events in projection.stories.values()]
            other = [row for row in rows if row != projection.rows.get(row.call_id)]
            await projection.save(other, ())
        calls, changed, last = calls + len(rows), changed + len(other), some[-1]
    return Refolded(calls, changed)
