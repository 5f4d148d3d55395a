"""P6, the other half: call events into the call log, beside a script that issues the same statements and nothing else.

The subject decodes records, keeps, folds, seals and writes them, without Kafka. Its statements are taped with their
arguments; the baseline plays the tape on an empty database. Both work in one process, one after the other, on the
event loop that the service has.
"""

import gc
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from statistics import median
from time import perf_counter
from typing import Any

import orjson
import uvloop

from bench.report import figures, verdict
from fareline_chassis.health import Health
from fareline_chassis.kafka.records import InRecord
from fareline_chassis.postgres.migrations import migrate
from fareline_chassis.postgres.pool import Connection, Database
from fareline_contracts.calls import CALL_ENDED_TYPE, CALL_PROGRESS_TYPE, CALL_ROUTED_TYPE
from fareline_devstack.layout import find_layout
from fareline_devstack.stack import Stack
from recording_ingest.domain.recordings import Waits
from recording_ingest.inbound.kafka import decode
from recording_ingest.outbound.phone_keys import PhoneKeys
from recording_ingest.outbound.phone_vault import PhoneVault
from recording_ingest.outbound.postgres_projection import PostgresCallLog
from recording_ingest.usecases.project_calls import project_calls

SCHEMA = "recording_ingest"
TABLES = "calls, call_heads, call_events, recordings"
Statement = tuple[str, str, tuple[Any, ...]]


@dataclass(frozen=True, slots=True)
class Size:
    """How much is done: calls of four events each, events in a batch, rounds."""

    calls: int = 5_000
    batch: int = 500
    rounds: int = 3


@dataclass
class Tape:
    """Hands out transactions of a database and notes what is said in them."""

    database: Database
    transactions: list[list[Statement]] = field(default_factory=list)

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator["_Taped"]:
        """Yield a connection whose statements are noted."""
        said: list[Statement] = []
        self.transactions.append(said)
        async with self.database.transaction() as connection:
            yield _Taped(connection, said)


class _Taped:
    def __init__(self, connection: Connection, said: list[Statement]) -> None:
        self._connection = connection
        self._said = said

    async def execute(self, statement: str, *arguments: Any) -> Any:  # noqa: ANN401 - as asyncpg's
        self._said.append(("execute", statement, arguments))
        return await self._connection.execute(statement, *arguments)

    async def fetch(self, statement: str, *arguments: Any) -> Any:  # noqa: ANN401 - as asyncpg's
        self._said.append(("fetch", statement, arguments))
        return await self._connection.fetch(statement, *arguments)


def run(size: Size) -> None:
    """Run the benchmark and print what it found."""
    with Stack() as stack:
        print(f"P6: {size.calls * 4:,} call events in batches of {size.batch} x {size.rounds} rounds", flush=True)
        uvloop.run(_measure(stack.postgres_dsn, size))


async def _measure(dsn: str, size: Size) -> None:
    await migrate(dsn, "recording_ingest.migrations", SCHEMA, "all")
    database = Database(dsn, 2, 4, Health().component("postgres"), search_path=SCHEMA)
    await database.connect()
    keys = PhoneKeys.load(find_layout().tokens_file.with_name("phone-keys.json"), demo=True)
    records = _records(size.calls)
    batches = [records[first : first + size.batch] for first in range(0, len(records), size.batch)]
    ours: list[float] = []
    bare: list[float] = []
    tape = Tape(database)
    await _timed(database, _project(tape, PhoneVault(keys), batches))
    gc.collect()
    gc.freeze()  # what the bench keeps in memory is no burden on those it measures
    for turn in range(size.rounds + 1):
        script = await _timed(database, _play(database, tape.transactions))
        subject = await _timed(database, _project(database, PhoneVault(keys), batches))
        if turn:
            bare.append(len(records) / script)
            ours.append(len(records) / subject)
    await database.close()
    print(figures("the same statements by a script", "events/s", bare))
    print(figures("recording-ingest", "events/s", ours))
    ratio = median(mine / other for mine, other in zip(ours, bare, strict=True))
    print(verdict("P6", "call events projected against the same statements", ratio, goal=0.7))


async def _timed(database: Database, work: Any) -> float:  # noqa: ANN401 - a coroutine
    async with database.acquire() as connection:
        await connection.execute(f"TRUNCATE {TABLES}")
        await connection.execute("CHECKPOINT")
    began = perf_counter()
    await work
    return perf_counter() - began


async def _project(database: Any, vault: PhoneVault, batches: Sequence[Sequence[InRecord]]) -> None:  # noqa: ANN401
    log = PostgresCallLog(database, vault)
    for batch in batches:
        await project_calls(log, [kept for kept in map(decode, batch) if kept], lambda _: Waits())


async def _play(database: Database, transactions: Sequence[Sequence[Statement]]) -> None:
    for said in transactions:
        async with database.transaction() as connection:
            for how, statement, arguments in said:
                await getattr(connection, how)(statement, *arguments)


def _records(calls: int) -> list[InRecord]:
    """Return the events of many calls as they come from a topic: each call's four events some batches apart."""
    now = datetime(2026, 11, 24, 10, tzinfo=UTC)
    told = []
    for n in range(calls):
        began = now + timedelta(seconds=n / 50)
        told += [(began + timedelta(seconds=after), n, kind) for after, kind in ((0, 0), (2, 1), (9, 2), (60, 3))]
    return [_record(place, n, kind, began) for place, (began, n, kind) in enumerate(sorted(told))]


def _record(offset: int, n: int, kind: int, at: datetime) -> InRecord:
    head = {
        "call_id": f"call-{n:08}",
        "account": "bench-zadarma",
        "pbx_call_id": f"in_{n:08}",
        "tenant": f"tenant-{n % 20}",
        "at": at.isoformat(),
        "received_at": (at + timedelta(milliseconds=20)).isoformat(),
    }
    if kind == 0:
        ce_type, more = CALL_ROUTED_TYPE, _routed(n)
    elif kind == 3:
        ended = at.isoformat()
        started = (at - timedelta(seconds=60)).isoformat()
        ce_type, more = CALL_ENDED_TYPE, {"disposition": "answered", "started_at": started, "ended_at": ended}
    else:
        ce_type, more = CALL_PROGRESS_TYPE, {"state": ("ringing", "bridged")[kind - 1], "leg": "201"}
    value = orjson.dumps({**head, **more})
    headers = (("ce_type", ce_type.encode()), ("ce_id", f"{n}/{kind}".encode()))
    return InRecord("fareline.calls.v1", 0, offset, 0, head["call_id"].encode(), value, headers)


def _routed(n: int) -> dict[str, Any]:
    dial = {
        "do": "dial", "targets": [f"+79{n % 10**9:09}"], "caller_id": "+74950000101", "ring_timeout_s": 30,
        "max_duration_s": 1200, "record": "dual",
    }  # fmt: skip
    decision = {
        "decision_id": f"{n}-1", "reason": "pair", "source": "replica", "data_age_s": 0.5, "took_ms": 0.3,
        "actions": [dial], "order_id": f"o-{n // 3}", "revision": 1764000000000000 + n, "order_version": 3,
        "order_status": "accepted", "direction": "driver_to_client", "driver_id": f"d-{n % 9000}",
        "client_id": f"c-{n % 90000}", "recorded": True,
        "rules": [{"rule": str(rule), "outcome": "passes", "why": "looked at, does not apply"} for rule in range(4)],
    }  # fmt: skip
    caller = f"+79{(n * 7919) % 10**9:09}"
    return {"step": 1, "question": "call.started", "caller": caller, "number": "+74950000101", "decision": decision}
