"""Tell others what became of recordings: at least once, from the ledger itself."""

from recording_ingest.ports.facts import Announcer, Facts

_AT_ONCE = 200


async def tell_outcomes(facts: Facts, announcer: Announcer) -> int:
    """Send the facts that were not told yet, then mark them; return how many.

    Killed in between, the same facts go out again under the same event ids.
    """
    untold = await facts.untold(_AT_ONCE)
    if untold:
        await announcer.announce(untold)
        await facts.mark_told(untold)
    return len(untold)
