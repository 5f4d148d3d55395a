"""P2: from an order event to its binding in the topic, beside a bare relay; and what a backlog does to the memory.

The order event's way: Kafka, order-binder, PostgreSQL, Kafka. The relay's: Kafka, one commit, Kafka. One process each.
"""

import asyncio
import os
import sys
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from time import perf_counter

import asyncpg
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer

from bench.binder_events import history, snapshot
from bench.binder_relay import IN, OUT
from bench.binder_world import furnish
from bench.report import at_most, figures
from fareline_chassis.logs import configure_logging
from fareline_devstack.kafka.topics import TopicSpec, create_topics, registry_specs
from fareline_devstack.layout import DEMO_TOKEN, find_layout
from fareline_devstack.ports import free_port
from fareline_devstack.postgres.databases import create_database
from fareline_devstack.services.catalogue import CALL_ROUTER, ORDER_BINDER, Surroundings, environment_of
from fareline_devstack.services.process import ServiceProcess
from fareline_devstack.stack import Stack, StackInfo
from order_binder.outbound.schema import Schema

RATES = (50, 1_000)
ORDERS, BINDINGS = "taxi.orders.v1", "fareline.bindings.v1"


@dataclass(frozen=True, slots=True)
class Size:
    """How much is done: seconds of each round, rounds after the first, and events of the backlog (0: none).

    Without `paced` there are no rounds: the backlog alone.
    """

    seconds: float = 10.0
    rounds: int = 3
    backlog: int = 100_000
    paced: bool = True


def run(size: Size) -> None:
    """Run both benchmarks and print what they found."""
    configure_logging("bench", "WARNING")
    with TemporaryDirectory() as folder, Stack() as stack:
        asyncio.run(_measure(stack, Path(folder), size))


async def _measure(stack: StackInfo, folder: Path, size: Size) -> None:
    relay_topics = [TopicSpec(IN), TopicSpec(OUT)]
    await create_topics(stack.kafka_bootstrap, [*registry_specs(""), *relay_topics])
    dsn = await create_database(stack.postgres_dsn, "bench_freshness")
    await Schema(dsn).migrate("all")
    await furnish(dsn)
    processes = [_binder(stack, dsn, folder), _relay(stack, dsn, folder)]
    for process in processes:
        process.start()
    try:
        await asyncio.to_thread(processes[0].wait_started)
        if size.paced:
            await _rounds(stack, size)
        if size.backlog:
            await _backlog(stack, dsn, processes[0], size.backlog)
    finally:
        for process in processes:
            process.stop()


def _binder(stack: StackInfo, dsn: str, folder: Path) -> ServiceProcess:
    layout = find_layout()
    told = Surroundings(
        kafka_bootstrap=stack.kafka_bootstrap,
        database_url=dsn,
        topic_prefix="",
        ports={ORDER_BINDER.name: free_port(), CALL_ROUTER.name: free_port()},
        tokens_file=layout.tokens_file,
        accounts_file=layout.accounts_file,
        token=DEMO_TOKEN,
        data=folder,
        also={"LOG_LEVEL": "WARNING"},
    )
    return ServiceProcess(
        name=ORDER_BINDER.name,
        argv=ORDER_BINDER.argv("run"),
        env=environment_of(ORDER_BINDER, told),
        log_file=folder / "binder.log",
        url=told.url(ORDER_BINDER),
    )


def _relay(stack: StackInfo, dsn: str, folder: Path) -> ServiceProcess:
    environment = {**os.environ, "KAFKA_BOOTSTRAP": stack.kafka_bootstrap, "DATABASE_URL": dsn}
    argv = [sys.executable, "-m", "bench.binder_relay"]
    return ServiceProcess(name="relay", argv=argv, env=environment, log_file=folder / "relay.log", url="")


async def _rounds(stack: StackInfo, size: Size) -> None:
    found: dict[tuple[str, int], list[float]] = {}
    order = 0
    for turn in range(size.rounds + 1):
        for rate in RATES:
            for name, into, out in (("order-binder", ORDERS, BINDINGS), ("bare relay", IN, OUT)):
                events = [snapshot(order + index, 1) for index in range(int(rate * size.seconds))]
                order += len(events)
                p99 = await _p99(stack.kafka_bootstrap, (into, out), events, rate)
                if turn:
                    found.setdefault((name, rate), []).append(p99 * 1000)
    for (name, rate), times in sorted(found.items(), key=lambda item: item[0][1]):
        print(figures(f"{name}, p99 at {rate}/s", "ms", times))
    for rate in RATES:
        ratio = median(found["order-binder", rate]) / median(found["bare relay", rate])
        print(at_most("P2", f"order event to binding / bare relay, p99 at {rate}/s", ratio, goal=2.0))


async def _p99(bootstrap: str, topics: tuple[str, str], events: Sequence[tuple[bytes, bytes]], rate: float) -> float:
    """Send events at a steady rate and return the 99th percentile of the seconds until they come out again."""
    into, out = topics
    consumer = AIOKafkaConsumer(out, bootstrap_servers=bootstrap, auto_offset_reset="latest")
    producer = AIOKafkaProducer(bootstrap_servers=bootstrap, acks="all")
    await consumer.start()
    await producer.start()
    await consumer.seek_to_end()
    for partition in consumer.assignment():
        await consumer.position(partition)
    sent: dict[bytes, float] = {}
    took: dict[bytes, float] = {}
    reading = asyncio.create_task(_read(consumer, sent, took, len(events)))
    try:
        began = perf_counter()
        for index, (key, value) in enumerate(events):
            ahead = began + index / rate - perf_counter()
            if ahead > 0:
                await asyncio.sleep(ahead)
            sent[key] = perf_counter()
            await producer.send(into, value, key=key)
        async with asyncio.timeout(60):
            await reading
    finally:
        reading.cancel()
        await producer.stop()
        await consumer.stop()
    ordered = sorted(took.values())
    return ordered[int(len(ordered) * 0.99)]


async def _read(consumer: AIOKafkaConsumer, sent: dict[bytes, float], took: dict[bytes, float], wanted: int) -> None:
    while len(took) < wanted:
        batches = await consumer.getmany(timeout_ms=100)
        now = perf_counter()
        for record in (record for batch in batches.values() for record in batch):
            key = record.key.rpartition(b"/")[2]
            if key in sent and key not in took:
                took[key] = now - sent[key]


async def _backlog(stack: StackInfo, dsn: str, binder: ServiceProcess, events: int) -> None:
    """Stop order-binder, write a backlog, start it again and watch its memory while it catches up."""
    binder.stop()
    producer = AIOKafkaProducer(bootstrap_servers=stack.kafka_bootstrap, acks="all", max_batch_size=256 * 1024)
    await producer.start()
    last = 10_000_000 + events
    for number, (key, value) in enumerate(history(events, 10_000_000)):
        acknowledged = await producer.send(ORDERS, value, key=key)
        if number % 10_000 == 0:
            await acknowledged
    await producer.stop()
    print(f"P3: a backlog of {events:,} events (order ids below {last:,})", flush=True)
    binder.start()
    await asyncio.to_thread(binder.wait_started)
    began, sizes = perf_counter(), []
    connection = await asyncpg.connect(dsn)
    while await _left(connection, events):
        sizes.append(rss_mib(binder))
        await asyncio.sleep(1)
    await connection.close()
    took, quarter = perf_counter() - began, max(1, len(sizes) // 4)
    print(f"  ingested and published in {took:.0f} s, {events / took:,.0f} events/s")
    print(figures("resident memory", "MiB", sizes))
    print(f"  at the start {sizes[0]:.0f}, after a quarter {sizes[quarter - 1]:.0f}, at the end {sizes[-1]:.0f} MiB")
    print(at_most("P3d", "memory at the end / after a quarter", sizes[-1] / sizes[quarter - 1], goal=1.2))


async def _left(connection: "asyncpg.Connection[asyncpg.Record]", events: int) -> bool:
    """Whether any of the backlog's events is still to be ingested or published."""
    query = "SELECT sum(version), count(unpublished) FROM order_binder.orders WHERE length(order_id) = 10"
    found = await connection.fetchrow(query)
    return found is None or (found[0] or 0) < _versions(events) or found[1] > 0


def _versions(events: int) -> int:
    """Return the sum of the last versions of all orders in a history of `events`."""
    latest: dict[bytes, int] = {}
    full, rest = divmod(events, 8_000)
    for index in range(rest):
        latest[b"%d" % (index % 2_000)] = index // 2_000 + 1
    return full * 8_000 + sum(latest.values())


def rss_mib(process: ServiceProcess) -> float:
    """Return the resident memory of a process in MiB."""
    with suppress(FileNotFoundError, ProcessLookupError):
        pages = int(Path(f"/proc/{process.child.pid}/statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE") / 1024 / 1024
    return 0.0
