"""P4: the replica loaded from Kafka, beside bare aiokafka that reads the same records and keeps nothing.

Each is a process of its own, `python -m bench.replica <bare|replica> <bootstrap>`, that prints what it measured.
"""

import asyncio
import gc
import subprocess
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median

import msgspec
import uvloop
from aiokafka import AIOKafkaConsumer, TopicPartition
from prometheus_client import CollectorRegistry

from bench.report import at_most, figures
from bench.router_world import PARTITIONS, World
from call_router.inbound.kafka import ReplicaFeed
from call_router.inbound.observing import Observer
from call_router.replica.freshness import Freshness
from call_router.replica.store import ReplicaStore
from fareline_chassis.clock import utc_now
from fareline_chassis.health import Health
from fareline_chassis.kafka.assigned import AssignedReader
from fareline_contracts.topics import BINDINGS

_FROZEN_EVERY = 20
_TICK = 0.001
_GOAL_LOAD, _GOAL_BYTES, _GOAL_PAUSE = 2, 1024, 50


@dataclass(frozen=True, slots=True)
class Loaded:
    """What one process measured: records, seconds of its clock and of its processor, growth in bytes, milliseconds."""

    records: int
    seconds: float
    processor: float
    grown: int
    pause_ms: float
    longest_slice_ms: float


def run(bootstrap: str, world: World, rounds: int) -> None:
    """Alternate both and print what they found."""
    found: dict[str, list[Loaded]] = {"bare": [], "replica": []}
    for _ in range(rounds):
        for name, measured in found.items():
            argv = [sys.executable, "-m", "bench.replica", name, bootstrap]
            done = subprocess.run(argv, capture_output=True, check=True)
            measured.append(msgspec.json.decode(done.stdout.splitlines()[-1], type=Loaded))
    for name, measured in found.items():
        _say(figures(f"{name}, records/s", "1/s", [one.records / one.seconds for one in measured]))
        _say(figures(f"{name}, processor time", "us/record", [one.processor / one.records * 1e6 for one in measured]))
    replicas = found["replica"]
    _say(figures("replica, memory", "bytes/binding", [one.grown / world.bindings for one in replicas]))
    _say(figures("replica, full collection", "ms", [one.pause_ms for one in replicas]))
    _say(figures("replica, longest slice", "ms", [one.longest_slice_ms for one in replicas]))
    slower = median(one.seconds for one in replicas) / median(one.seconds for one in found["bare"])
    _say(at_most("P4a", "replica load / bare aiokafka", slower, goal=_GOAL_LOAD))
    _say(at_most("P4b", "bytes a binding", median(one.grown / world.bindings for one in replicas), goal=_GOAL_BYTES))
    _say(at_most("P4c", "full collection in ms", median(one.pause_ms for one in replicas), goal=_GOAL_PAUSE))


async def bare(bootstrap: str) -> Loaded:
    """Read every record of the bindings topic and keep none."""
    consumer = AIOKafkaConsumer(
        bootstrap_servers=bootstrap,
        group_id=None,
        enable_auto_commit=False,
        auto_offset_reset="earliest",
        isolation_level="read_committed",
    )
    await consumer.start()
    partitions = [TopicPartition(BINDINGS.name, number) for number in range(PARTITIONS)]
    consumer.assign(partitions)
    ends = await consumer.end_offsets(partitions)
    began, processor, records = time.perf_counter(), time.process_time(), 0
    while any([await consumer.position(one) < ends[one] for one in partitions]):
        records += sum(map(len, (await consumer.getmany(timeout_ms=200, max_records=1000)).values()))
    took, used = time.perf_counter() - began, time.process_time() - processor
    await consumer.stop()
    return Loaded(records, took, used, 0, 0, 0)


async def replica(bootstrap: str) -> Loaded:
    """Load the replica as a router does, and watch how long it keeps the loop from everything else."""
    store, reader = ReplicaStore(), AssignedReader(bootstrap, [BINDINGS.name], client_id="bench")
    feed = ReplicaFeed(store, Freshness(time.monotonic, utc_now), Observer(CollectorRegistry(), {}), utc_now)
    await reader.start(Health().component("kafka", required=False))
    before = _resident()
    watching = asyncio.create_task(_longest_slice())
    began, processor, records = time.perf_counter(), time.process_time(), 0
    async for batch in reader.load():
        await feed.take(batch)
        records += len(batch)
        if records % (_FROZEN_EVERY * 1000) < len(batch):
            gc.freeze()
    took, used = time.perf_counter() - began, time.process_time() - processor
    watching.cancel()
    longest = (await asyncio.gather(watching))[0]
    await reader.stop()
    gc.freeze()
    collected = time.perf_counter()
    gc.collect()
    pause = (time.perf_counter() - collected) * 1000
    return Loaded(records, took, used, _resident() - before, pause, longest * 1000)


async def _longest_slice() -> float:
    """Return, once cancelled, the most processor time that went by while a timer of a millisecond was waited for.

    Not the clock's time, which on a busy machine tells of others.
    """
    longest = 0.0
    try:
        while True:
            before = time.thread_time()
            await asyncio.sleep(_TICK)
            longest = max(longest, time.thread_time() - before)
    except asyncio.CancelledError:
        return longest


def _resident() -> int:
    line = next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmRSS"))
    return int(line.split()[1]) * 1024


def _say(line: str) -> None:
    print(line, flush=True)


if __name__ == "__main__":
    _say(msgspec.json.encode(asdict(uvloop.run({"bare": bare, "replica": replica}[sys.argv[1]](sys.argv[2])))).decode())
