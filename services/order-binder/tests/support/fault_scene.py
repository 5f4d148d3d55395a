"""A crowd of order-binder processes on a real Kafka and PostgreSQL, what they are fed, and what is left of it."""

import asyncio
import multiprocessing
import os
import random
import signal
from pathlib import Path

import failpoints
from binder_process import order_json, until

from fareline_chassis.health import HealthComponent
from fareline_chassis.kafka.assigned import AssignedReader
from fareline_chassis.kafka.producer import Producer
from fareline_chassis.kafka.records import OutRecord
from fareline_devstack.kafka.topics import TopicSpec, create_topics, registry_specs
from order_binder.outbound.published_records import revision_of

ORDERS, BINDINGS, LETTERS = "taxi.orders.v1", "fareline.bindings.v1", "taxi.orders.v1.dlq"
SMALL = {
    "cleanup.policy": "compact",
    "segment.ms": "300",
    "min.cleanable.dirty.ratio": "0.01",
    "max.compaction.lag.ms": "500",
    "delete.retention.ms": "100",
}
PARTITIONS = INPUT_PARTITIONS = 8
STATUSES = ("accepted",) * 4 + ("arrived", "in_progress", "completed", "cancelled", "searching")


async def make_topics(bootstrap: str, prefix: str) -> None:
    """Create the topics, those of bindings with the segments of a moment, so that compaction comes soon."""
    config = {prefix + BINDINGS: (PARTITIONS, SMALL), prefix + ORDERS: (INPUT_PARTITIONS, {})}
    specs = [
        TopicSpec(spec.name, *config.get(spec.name, (1, spec.config)))
        for spec in registry_specs(prefix)
        if "calls" not in spec.name and "recordings" not in spec.name
    ]
    await create_topics(bootstrap, specs)


class Crowd:
    """Processes that are started, die or freeze by themselves, and are woken."""

    def __init__(self, environment: dict, folder: Path) -> None:
        self._context = multiprocessing.get_context("forkserver")
        self._context.set_forkserver_preload(["failpoints"])
        self._environment = {name: value for name, value in environment.items() if name != "HTTP_PORT"}
        self._environment["HTTP_PORT"] = "0"
        self._folder = folder
        self._started: dict = {}

    def start(self, point: str | None = None, deed: int | None = None, *, nth: int = 1, delay_s: float = 0.05):
        """Start a process that does `deed` to itself at `point`."""
        log = self._folder / f"{len(self._started)}-{point or 'healthy'}.log"
        process = self._context.Process(
            target=failpoints.binder_process, args=(self._environment, str(log), point, deed, nth, delay_s), name=point
        )
        process.start()
        self._started[process] = log
        return process

    async def all_fell(self, processes, *, frozen: bool) -> None:
        """Wait until each has come to its failpoint."""
        waiting = list(processes)

        async def look() -> bool:
            waiting[:] = [it for it in waiting if not (is_frozen(it.pid) if frozen else it.exitcode is not None)]
            return not waiting

        await until(look, within=90, say=lambda: f"never reached: {[it.name for it in waiting]}")
        if not frozen:
            assert {it.exitcode for it in processes} == {-signal.SIGKILL}

    def wake(self, processes) -> None:
        for process in processes:
            os.kill(process.pid, signal.SIGCONT)

    async def retire(self, processes, attending) -> None:
        """End woken processes in good order, once each of them publishes again.

        Those who come to a crowd larger than the topic has partitions get none, and so to no failpoint of publication.
        `attending` returns the names of the processes that ask for partitions, which hold their process ids.
        """

        async def look() -> bool:
            names = " ".join(await attending())
            return all(f"-{process.pid}-" in names for process in processes)

        await until(look, within=90, say=self.last_words)
        for process in processes:
            process.terminate()
        for process in processes:
            await asyncio.to_thread(process.join, 60)
        assert [process.exitcode for process in processes] == [0] * len(processes), self.last_words()

    def last_words(self) -> str:
        """Return how each process is, and the end of its log."""
        told = []
        for process, log in self._started.items():
            state = f"exit {process.exitcode}, frozen {is_frozen(process.pid)}"
            told.append(f"{log.name}: {state}\n{log.read_text()[-1500:]}")
        return "\n".join(told)

    def end(self) -> None:
        """Kill whoever is left."""
        for process in self._started:
            process.kill()
            process.join()


def is_frozen(pid: int) -> bool:
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except FileNotFoundError:
        return False
    return stat.rpartition(")")[2].split()[0] == "T"


class Platform:
    """Writes order events without a pause: new ones, repeats, old ones, and some that nobody can read.

    `latest` is what it said last of each order, `unreadable` holds the keys of the latter.
    """

    def __init__(self, bootstrap: str, prefix: str, *, orders: int = 60, seed: int = 1) -> None:
        self._producer = Producer(bootstrap, client_id="platform", topic_prefix=prefix)
        self._random = random.Random(seed)
        self._orders = orders
        self.latest: dict[str, tuple[int, str]] = {}
        self.unreadable: set[bytes] = set()
        self._said: list[OutRecord] = []

    async def run(self) -> None:
        """Write until cancelled."""
        await self._producer.start(HealthComponent("kafka"))
        try:
            while True:
                await self.write(10)
                await asyncio.sleep(0.05)
        finally:
            await self._producer.stop()

    async def write(self, count: int) -> None:
        """Write some events, one that is none, and some that were written before."""
        nonsense = b"nonsense-%d" % len(self.unreadable)
        self.unreadable.add(nonsense)
        batch = [*(self._event() for _ in range(count)), OutRecord(ORDERS, nonsense, b"{")]
        batch += self._random.sample(self._said, min(3, len(self._said)))
        self._said = (self._said + batch)[-200:]
        await self._producer.send(batch)

    def _event(self) -> OutRecord:
        order = f"o-{self._random.randrange(self._orders)}"
        version = self.latest.get(order, (0, ""))[0] + self._random.choice((1, 1, 3))
        status = self._random.choice(STATUSES)
        driver = {"id": f"d-{self._random.randrange(6)}"}
        driver["phones"] = [f"+7903000000{driver['id'][-1]}"]
        client = self._random.randrange(20)
        value = order_json(
            order,
            version,
            status,
            driver=driver,
            client={"id": f"c-{client}", "phones": [f"+79260000{client:03d}"]},
        )
        self.latest[order] = (version, status)
        return OutRecord(ORDERS, order.encode(), value)


async def cold_read(bootstrap: str, prefix: str) -> list:
    """Return what a reader that knows nothing finds in the bindings topic, heartbeats and filler left out."""
    return [record for record in await _whole(bootstrap, prefix, BINDINGS) if revision_of(record)]


async def letter_keys(bootstrap: str, prefix: str) -> set[bytes]:
    """Return the keys of all dead letters."""
    return {record.key for record in await _whole(bootstrap, prefix, LETTERS)}


async def _whole(bootstrap: str, prefix: str, topic: str) -> list:
    reader = AssignedReader(bootstrap, [topic], client_id="cold", topic_prefix=prefix)
    await reader.start(HealthComponent("kafka"))
    try:
        return [record async for batch in reader.load() for record in batch]
    finally:
        await reader.stop()


async def roll(bootstrap: str, prefix: str) -> None:
    """Append a record to each partition, so that segments before it close and can be compacted."""
    producer = Producer(bootstrap, client_id="filler", topic_prefix=prefix)
    await producer.start(HealthComponent("kafka"))
    try:
        await producer.send([OutRecord(BINDINGS, b"filler", b".", partition=index) for index in range(PARTITIONS)])
    finally:
        await producer.stop()
