"""After a change of keys: rewrite what older ones sealed and hashed, so that they can be taken out of the file.

It may be killed and begun again, and runs beside the service: a row that changed meanwhile is left to its new writer.
"""

import uuid
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

import asyncpg

from fareline_chassis.postgres.pool import Connection
from fareline_chassis.postgres.sql import load_queries
from recording_ingest.outbound.phone_vault import PhoneVault
from recording_ingest.outbound.sealed_addresses import opened_address, sealed_address

_FIRST_TIME: Final = datetime(1, 1, 2, tzinfo=UTC)
Rows = Sequence[asyncpg.Record]
Step = Callable[[Any], Coroutine[Any, Any, tuple[Rows, Any]]]


@dataclass(frozen=True, slots=True)
class Resealed:
    """How many rows were rewritten."""

    events: int
    calls: int
    recordings: int


class Resealing:
    """Goes through the tables that hold phones, some hundred rows at a time, each batch a statement of its own."""

    def __init__(self, connection: Connection, vault: PhoneVault) -> None:
        self._connection = connection
        self._vault = vault
        self._queries = load_queries("recording_ingest.outbound", "resealing")

    async def run(self) -> Resealed:
        """Rewrite everything that is not under the keys in use. Raises Unreadable where an old key is missing."""
        return Resealed(
            events=await _all(self._events, ("", "")),
            calls=await _all(self._calls, (_FIRST_TIME, "")),
            recordings=await _all(self._addresses, uuid.UUID(int=0)),
        )

    async def _events(self, after: tuple[str, str]) -> tuple[Rows, Any]:
        rows = await self._connection.fetch(self._queries.events, *after, self._vault.sealing_id)
        fresh = [self._again(row["sealed"], row["call_id"]) for row in rows]
        columns = [[row[name] for row in rows] for name in ("account", "ce_id", "sealed")]
        await self._connection.execute(self._queries.write_events, *columns, fresh)
        return rows, rows and (rows[-1]["account"], rows[-1]["ce_id"])

    async def _calls(self, after: tuple[datetime, str]) -> tuple[Rows, Any]:
        ids = (self._vault.sealing_id, self._vault.lookup_id)
        rows = await self._connection.fetch(self._queries.calls, *after, *ids)
        columns = [[row[name] for row in rows] for name in ("started_at", "call_id", "caller_sealed", "target_sealed")]
        was: list[bytes | None] = []
        now: list[bytes | None] = []
        for who in ("caller", "target"):
            fresh = [self._hashed_again(row[f"{who}_sealed"], row["call_id"]) for row in rows]
            columns += [[hashed for hashed, _ in fresh], [sealed for _, sealed in fresh]]
            was += [row[f"{who}_hash"] for row in rows]
            now += [hashed for hashed, _ in fresh]
        # before the calls: killed in between, it does both again
        await self._connection.execute(self._queries.follow, was, now)
        await self._connection.execute(self._queries.write_calls, *columns)
        return rows, rows and (rows[-1]["started_at"], rows[-1]["call_id"])

    async def _addresses(self, after: uuid.UUID) -> tuple[Rows, Any]:
        rows = await self._connection.fetch(self._queries.addresses, after, self._vault.sealing_id)
        fresh = [self._address_again(row["url"], row["call_id"]) for row in rows]
        columns = [[row[name] for row in rows] for name in ("recording_id", "url")]
        await self._connection.execute(self._queries.write_addresses, *columns, fresh)
        return rows, rows and rows[-1]["recording_id"]

    def _again(self, sealed: bytes, call_id: str) -> bytes:
        return self._vault.seal(self._vault.open(sealed, of=call_id), of=call_id)

    def _hashed_again(self, sealed: bytes | None, call_id: str) -> tuple[bytes | None, bytes | None]:
        if sealed is None:
            return None, None
        phone = self._vault.open(sealed, of=call_id).decode()
        return self._vault.hash(phone), self._vault.seal(phone, of=call_id)

    def _address_again(self, url: str, call_id: str) -> str | None:
        return sealed_address(opened_address(url, call_id, self._vault), call_id, self._vault)


async def _all(step: Step, after: Any) -> int:  # noqa: ANN401 - the key of whichever table
    done = 0
    while True:
        rows, following = await step(after)
        if not rows:
            return done
        done, after = done + len(rows), following
