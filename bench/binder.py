"""P3: order events ingested, beside a script that issues the same statements, single transactions and a bare upsert.

All work on the same PostgreSQL, each round in a new database; what is measured runs in this process, without Kafka.
"""

import cProfile
import gc
import pstats
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from statistics import median
from time import perf_counter, process_time

import uvloop

from bench.binder_events import records
from bench.binder_world import Recorder, Step, connected, consumer_on, furnish, play
from bench.report import figures, verdict
from fareline_chassis.kafka.records import InRecord
from fareline_chassis.logs import configure_logging
from fareline_chassis.postgres.pool import Database
from fareline_devstack.postgres.databases import create_database, drop_database
from fareline_devstack.stack import Stack
from order_binder.outbound.schema import Schema

BATCH = 500
BARE = "CREATE TABLE bare (tenant text, order_id text, version bigint, value jsonb, PRIMARY KEY (tenant, order_id))"
UPSERT = """
INSERT INTO bare AS b SELECT * FROM unnest($1::text[], $2::text[], $3::bigint[], $4::jsonb[])
ON CONFLICT (tenant, order_id) DO UPDATE SET version = excluded.version, value = excluded.value
WHERE b.version < excluded.version
"""
Contestant = Callable[[Database], Awaitable[int]]


@dataclass(frozen=True, slots=True)
class Pace:
    """Events a second, and microseconds of this process's CPU for each; the database's own come on top."""

    rate: float
    cpu_us: float


@dataclass(frozen=True, slots=True)
class Size:
    """How much is done: events a round, rounds after the first, and whether to print where the time goes."""

    events: int = 20_000
    rounds: int = 3
    profile: bool = False


def run(size: Size) -> None:
    """Run the benchmark and print what it found."""
    configure_logging("bench", "WARNING")
    with Stack() as stack:
        print(f"P3: {size.events:,} order events x {size.rounds} rounds each, batches of {BATCH}", flush=True)
        uvloop.run(_measure(stack.postgres_dsn, size))


async def _measure(server: str, size: Size) -> None:
    events = records(size.events)
    tapes = await _record(server, events)
    gc.collect()
    gc.freeze()  # what the bench keeps in memory is no burden on those it measures
    if size.profile:
        await _profile(server, events)
    contestants = {
        "order-binder": lambda database: _ingest(database, events, BATCH),
        "same statements": lambda database: _play(database, tapes, len(events)),
        "one transaction a message": lambda database: _ingest(database, events[: size.events // 10], 1),
        "bare upsert": lambda database: _bare(database, size.events),
    }
    found: dict[str, list[Pace]] = {name: [] for name in contestants}
    for turn in range(size.rounds + 1):
        for name, contestant in contestants.items():
            pace = await _one_round(server, contestant)
            if turn:
                found[name].append(pace)
    _report(found)


async def _record(server: str, events: Sequence[InRecord]) -> list[list[Step]]:
    async def ingest(database: Database) -> int:
        await _batches(Recorder(database), events, BATCH, tapes)
        return len(events)

    tapes: list[list[Step]] = []
    await _one_round(server, ingest)
    return tapes


async def _batches(
    database: "Database | Recorder", events: Sequence[InRecord], size: int, tapes: list[list[Step]] | None = None
) -> None:
    consumer = consumer_on(database)
    for start in range(0, len(events), size):
        await consumer(events[start : start + size])
    if isinstance(database, Recorder) and tapes is not None:
        tapes.extend(database.tapes)


async def _ingest(database: Database, events: Sequence[InRecord], size: int) -> int:
    await _batches(database, events, size)
    return len(events)


async def _play(database: Database, tapes: Sequence[Sequence[Step]], events: int) -> int:
    await play(database, tapes)
    return events


async def _bare(database: Database, events: int) -> int:
    async with database.acquire() as connection:
        await connection.execute(BARE)
    for start in range(0, events, BATCH):
        rows = [(f"bench-{n % 20}", f"o-{n}", 1, {"snapshot": "x" * 400}) for n in range(start, start + BATCH)]
        async with database.transaction() as connection:
            await connection.execute(UPSERT, *(list(column) for column in zip(*rows, strict=True)))
    return events


async def _one_round(server: str, contestant: Contestant) -> Pace:
    """Measure on a database that is new and furnished."""
    dsn = await create_database(server, "bench_binder")
    await Schema(dsn).migrate("all")
    await furnish(dsn)
    database = await connected(dsn)
    began, cpu = perf_counter(), process_time()
    events = await contestant(database)
    pace = Pace(events / (perf_counter() - began), (process_time() - cpu) / events * 1e6)
    await database.close()
    await drop_database(server, "bench_binder")
    return pace


async def _profile(server: str, events: Sequence[InRecord]) -> None:
    profile = cProfile.Profile()

    async def ingest(database: Database) -> int:
        profile.enable()
        await _ingest(database, events, BATCH)
        profile.disable()
        return len(events)

    await _one_round(server, ingest)
    pstats.Stats(profile).sort_stats("tottime").print_stats(45)


def _report(found: dict[str, list[Pace]]) -> None:
    for name, paces in found.items():
        print(figures(name, "events/s", [pace.rate for pace in paces]))
        print(figures("  CPU of this process", "µs an event", [pace.cpu_us for pace in paces]))
    rate = {name: median(pace.rate for pace in paces) for name, paces in found.items()}
    subject = rate["order-binder"]
    print(verdict("P3a", "order-binder / the same statements", subject / rate["same statements"], goal=0.7))
    single = subject / rate["one transaction a message"]
    print(verdict("P3b", "order-binder / one transaction a message", single, goal=10))
    print(f"BENCH P3c order-binder / bare upsert {subject / rate['bare upsert']:.2f} reported")
