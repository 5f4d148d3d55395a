"""The call log in Postgres, as analysts read it."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

import asyncpg

from fareline_chassis.postgres.pool import Database
from fareline_chassis.postgres.sql import load_queries
from recording_ingest.domain.events import CallEvent
from recording_ingest.domain.recordings import Recording
from recording_ingest.domain.search import BadQuestion, CallFilter, Line, Listed
from recording_ingest.outbound.call_questions import order_statement, page_statement, stats_statement
from recording_ingest.outbound.call_rows import event, line_in_full, listed
from recording_ingest.outbound.phone_vault import PhoneVault
from recording_ingest.outbound.rows import recording
from recording_ingest.ports.calls import TakesTooLong

PATIENCE: Final = timedelta(seconds=20)
"""How long one question may occupy the database before it is cancelled."""


def _hour(begins: datetime, tz: str) -> str:
    """Return an hour with its distance from UTC: where clocks are put back, the same hour comes twice."""
    return begins.astimezone(ZoneInfo(tz)).isoformat(timespec="minutes")


class PostgresCalls:
    """Answers questions about calls and writes nothing."""

    def __init__(self, database: Database, vault: PhoneVault, *, patience: timedelta = PATIENCE) -> None:
        self._database = database
        self._vault = vault
        self._patience = patience.total_seconds()
        self._queries = load_queries("recording_ingest.outbound", "calls")

    async def page(self, wanted: CallFilter, *, in_full: bool) -> Sequence[Line]:
        """Return at most one call more than `wanted.limit`, newest first."""
        statement, arguments = page_statement(self._queries, self._vault, wanted, in_full=in_full)
        return self._lines(await self._fetch(statement, *arguments), in_full=in_full)

    async def call(self, call_id: str) -> Listed | None:
        """Return one call with its phones."""
        rows = await self._fetch(self._queries.call, call_id)
        return listed(rows[0], self._vault) if rows else None

    async def calls_of_order(self, tenant: str, order_id: str, *, in_full: bool) -> Sequence[Line]:
        """Return the calls of an order, oldest first."""
        rows = await self._fetch(order_statement(self._queries, in_full=in_full), tenant, order_id)
        return self._lines(rows, in_full=in_full)

    async def stats(self, wanted: CallFilter, group_by: str, tz: str) -> Sequence[Line]:
        """Return the measures, one line a group. Raises BadQuestion for a time zone unknown here."""
        statement, arguments = stats_statement(self._queries, self._vault, wanted, group_by, tz)
        try:
            groups = [dict(row) for row in await self._fetch(statement, *arguments)]
        except asyncpg.InvalidParameterValueError:
            raise BadQuestion("tz", "the database does not know this time zone") from None
        return [group | {"key": _hour(group["key"], tz)} for group in groups] if group_by == "hour" else groups

    async def story(self, call_id: str) -> Sequence[CallEvent]:
        """Return every event of a call, in no order."""
        return [event(row, self._vault) for row in await self._fetch(self._queries.story, call_id)]

    async def recordings(self, call_id: str) -> Sequence[Recording]:
        """Return the ledger entries of a call, by part."""
        return [recording(row) for row in await self._fetch(self._queries.recordings, call_id)]

    def _lines(self, rows: Sequence[asyncpg.Record], *, in_full: bool) -> Sequence[Line]:
        return [line_in_full(row, self._vault) for row in rows] if in_full else [dict(row) for row in rows]

    async def _fetch(self, statement: str, *arguments: object) -> list[asyncpg.Record]:
        async with self._database.acquire() as connection:
            try:
                found: list[asyncpg.Record] = await connection.fetch(statement, *arguments, timeout=self._patience)
            except TimeoutError as error:
                raise TakesTooLong from error
        return found
