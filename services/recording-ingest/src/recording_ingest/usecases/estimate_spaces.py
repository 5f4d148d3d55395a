"""Say of recordings that wait when newer ones push them out of a PBX that keeps a number of bytes."""

from collections.abc import Mapping
from datetime import timedelta

from recording_ingest.domain.space import estimates, lasts
from recording_ingest.ports.clock import Clock
from recording_ingest.ports.spaces import Spaces


async def estimate_spaces(spaces: Spaces, accounts: Mapping[str, int], clock: Clock) -> Mapping[str, timedelta | None]:
    """Renew the estimates of `accounts` (bytes that each one's PBX keeps); return for how long each keeps a recording.

    None: that cannot be told yet. Doing it again, or in several processes, changes nothing.
    """
    await spaces.only(tuple(accounts))
    kept = {}
    for name, size in accounts.items():
        now = clock()
        space = await spaces.space(name, size, now)
        if fresh := estimates(space, await spaces.waiting(name), now):
            await spaces.note(fresh)
        kept[name] = lasts(space)
    return kept
