"""Write down who asks the call log for a person, or takes it away as a file."""

from collections.abc import Sequence

from recording_ingest.ports.access_log import Access, AccessLog, Asker, Outcome
from recording_ingest.ports.clock import Clock

SEARCH = "search"
EXPORT = "export"


async def note_question(
    log: AccessLog,
    *,
    asker: Asker,
    action: str,
    tenants: Sequence[str] | None,
    phones: Sequence[str] = (),
    clock: Clock,
    outcome: Outcome = Outcome.GRANTED,
) -> None:
    """Write one row for each phone (E.164) that is looked for, or one where nobody is; committed on return.

    `tenants`: whose calls are asked for, None: everybody's.
    """
    asked = None if tenants is None else tuple(tenants)
    for phone in dict.fromkeys(phones) or (None,):
        access = Access(None, None, None, asker, action, clock(), outcome=outcome, tenants=asked, phone=phone)
        await log.log_access(access)
