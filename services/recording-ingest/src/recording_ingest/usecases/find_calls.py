"""List calls, page by page, or all of a question, or all of an order."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import replace

from recording_ingest.domain.search import CallFilter, Cursor, Line, Page
from recording_ingest.ports.calls import CallFinder

_AT_ONCE = 5000


async def find_calls(finder: CallFinder, wanted: CallFilter, *, in_full: bool) -> Page:
    """Return one page: stable while rows arrive, and as quick at the end of the list as at its beginning."""
    found = await finder.page(wanted, in_full=in_full)
    if len(found) <= wanted.limit:
        return Page(found, None)
    shown = found[: wanted.limit]
    return Page(shown, _after(shown[-1], wanted))


async def all_calls(finder: CallFinder, wanted: CallFilter, *, in_full: bool) -> AsyncIterator[Sequence[Line]]:
    """Yield every call of a question, newest first, some thousand at a time; nothing is held open in between."""
    wanted = replace(wanted, limit=_AT_ONCE)
    while True:
        page = await find_calls(finder, wanted, in_full=in_full)
        if page.calls:
            yield page.calls
        if page.next is None:
            return
        wanted = replace(wanted, cursor=page.next)


async def calls_of_order(finder: CallFinder, tenant: str, order_id: str, *, in_full: bool) -> Sequence[Line]:
    """Return everything that was tried for an order, oldest first: what a dispute asks."""
    return await finder.calls_of_order(tenant, order_id, in_full=in_full)


def _after(last: Line, wanted: CallFilter) -> Cursor:
    return Cursor(last["started_at"], last["call_id"], wanted.since, wanted.until)
