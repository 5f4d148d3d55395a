"""List calls, page by page, or all of an order."""

from collections.abc import Sequence

from recording_ingest.domain.search import CallFilter, Cursor, Listed, Page
from recording_ingest.ports import CallFinder


async def find_calls(finder: CallFinder, wanted: CallFilter) -> Page:
    """Return one page: stable while rows arrive, and as quick at the end of the list as at its beginning."""
    found = await finder.page(wanted)
    shown = tuple(found[: wanted.limit])
    more = len(found) > wanted.limit
    return Page(shown, Cursor(shown[-1].row.started_at, shown[-1].row.call_id) if more else None)


async def calls_of_order(finder: CallFinder, tenant: str, order_id: str) -> Sequence[Listed]:
    """Return everything that was tried for an order, oldest first: what a dispute asks."""
    return await finder.calls_of_order(tenant, order_id)
