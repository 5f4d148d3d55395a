"""P1: signed Zadarma webhooks answered by one call-router process, beside an ASGI echo and FastAPI with one SELECT.

All three are processes of their own behind the same HTTP server, one worker each; the same client asks them in turn.
The router's spool, metrics, Kafka feed and drain run as they do in production.
"""

import asyncio
import os
import re
import sys
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

import httpx
import uvloop
from aiokafka import AIOKafkaProducer

from bench import replica
from bench.baselines import fill_lookup
from bench.load import Round, full_load, paced_load
from bench.report import at_most, figures, verdict
from bench.router_world import ACCOUNT, SECRET, Publisher, World
from fareline_devstack.kafka.topics import create_topics, registry_specs
from fareline_devstack.layout import DEMO_TOKEN, find_layout
from fareline_devstack.ports import HOST, free_port
from fareline_devstack.services.catalogue import CALL_ROUTER, ORDER_BINDER, Surroundings, environment_of
from fareline_devstack.services.process import ServiceProcess
from fareline_devstack.stack import Stack, StackInfo
from fareline_devstack.waiting import run_blocking

ECHO, SELECT, ROUTER = "echo", "fastapi + select", "call-router"
WEBHOOK = f"/pbx/zadarma/{ACCOUNT}"
CALLS_A_SECOND, RECORDS_A_SECOND = 200, 1_000
_MOST_REQUESTS_A_SECOND = 15_000
_LOAD_MINUTES = 5
_WAITING = re.compile(r"^fareline_router_spool_waiting_bytes 0\.0$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Size:
    """How much is done: live bindings and tenants, rounds of so many seconds for each contestant, connections."""

    bindings: int = 1_000_000
    tenants: int = 20
    seconds: float = 4
    paced_seconds: float = 30
    rounds: int = 3
    connections: int = 32


@dataclass(frozen=True, slots=True)
class Measured:
    """A round, and the microseconds of processor time that the server took for an answer, on a busy machine too."""

    round: Round
    processor: float


def run(size: Size) -> None:
    """Run P4 and P1 and print what they found."""
    world = World(size.bindings, size.tenants, datetime.now(UTC))
    with TemporaryDirectory() as folder, Stack() as stack, ExitStack() as running:
        _say(f"{size.bindings:,} bindings of {size.tenants} tenants are written to Kafka and to a table")
        run_blocking(create_topics(stack.kafka_bootstrap, registry_specs("")))
        run_blocking(fill_lookup(stack.postgres_dsn, world))
        uvloop.run(_publish(stack, world))
        replica.run(stack.kafka_bootstrap, world, size.rounds)
        contestants = {
            ECHO: _uvicorn("bench.baselines:echo", [], stack, Path(folder)),
            SELECT: _uvicorn("bench.baselines:lookup_service", ["--factory"], stack, Path(folder)),
            ROUTER: _router(stack, world, Path(folder)),
        }
        uvloop.run(_measure(contestants, stack, world, size, running))


def _router(stack: StackInfo, world: World, data: Path) -> ServiceProcess:
    told = Surroundings(
        kafka_bootstrap=stack.kafka_bootstrap,
        database_url=stack.postgres_dsn,
        topic_prefix="",
        ports={CALL_ROUTER.name: free_port(), ORDER_BINDER.name: free_port()},
        tokens_file=find_layout().tokens_file,
        accounts_file=world.accounts_file(data),
        token=DEMO_TOKEN,
        data=data,
    )
    (data / CALL_ROUTER.name).mkdir()
    settings = {
        "ROUTER_FILL_WAIT_S": str(_LOAD_MINUTES * 60),
        "ROUTER_SNAPSHOT_EVERY_S": "25",
        "ROUTER_CALLS_A_SECOND": "1000000",
    }
    return ServiceProcess(
        name=CALL_ROUTER.name,
        argv=CALL_ROUTER.argv("run"),
        env=environment_of(CALL_ROUTER, told) | settings,
        log_file=data / "call-router.log",
        url=told.url(CALL_ROUTER),
    )


def _uvicorn(target: str, options: list[str], stack: StackInfo, data: Path) -> ServiceProcess:
    port, name = free_port(), target.partition(":")[2]
    served = ["--host", HOST, "--port", str(port), "--loop", "uvloop", "--http", "httptools", "--no-access-log"]
    return ServiceProcess(
        name=name,
        argv=[sys.executable, "-m", "uvicorn", target, *options, *served, "--no-server-header"],
        env={**os.environ, "BENCH_SECRET": SECRET, "BENCH_DATABASE": stack.postgres_dsn},
        log_file=data / f"{name}.log",
        url=f"http://{HOST}:{port}",
    )


async def _publish(stack: StackInfo, world: World) -> None:
    async with _producer(stack) as producer:
        await Publisher(producer, "", world).publish()


async def _measure(
    contestants: dict[str, ServiceProcess], stack: StackInfo, world: World, size: Size, running: ExitStack
) -> None:
    async with _producer(stack) as producer:
        publisher = Publisher(producer, "", world)
        beating = asyncio.create_task(publisher.beat())
        try:
            for process in contestants.values():
                process.start()
                running.callback(process.stop)
            await asyncio.gather(*(_listening(process.url) for process in contestants.values()))
            await asyncio.to_thread(contestants[ROUTER].wait_started, _LOAD_MINUTES * 60)
            _report_rates(await _full(contestants, world, size))
            _report_times(await _paced(contestants, publisher, world, size))
        finally:
            beating.cancel()


async def _full(contestants: dict[str, ServiceProcess], world: World, size: Size) -> dict[str, list[Measured]]:
    """Ask as fast as answers come; the first turn of each is not counted."""
    found: dict[str, list[Measured]] = {name: [] for name in contestants}
    for turn in range(size.rounds + 1):
        for name, process in contestants.items():
            # A repeated call would be answered from memory, so the router gets new ones only.
            count = 5_000 if name != ROUTER else int(_MOST_REQUESTS_A_SECOND * size.seconds)
            requests = world.webhooks(_path(name), count)
            used = _processor(process)
            one = await full_load(
                _port(process), requests, connections=size.connections, seconds=size.seconds, again=name != ROUTER
            )
            used = _processor(process) - used
            if turn:
                found[name].append(Measured(one, used / len(one.times) * 1e6))
            if name == ROUTER:
                await _drained(process)
    return found


async def _paced(
    contestants: dict[str, ServiceProcess], publisher: Publisher, world: World, size: Size
) -> dict[str, list[Round]]:
    """Ask 200 times a second while 1,000 binding records a second are applied and snapshots are written."""
    found: dict[str, list[Round]] = {ECHO: [], ROUTER: []}
    changing = asyncio.create_task(publisher.change(RECORDS_A_SECOND))
    try:
        for _ in range(size.rounds):
            for name, rounds in found.items():
                requests = world.webhooks(_path(name), int(CALLS_A_SECOND * size.paced_seconds))
                rounds.append(await paced_load(_port(contestants[name]), requests, a_second=CALLS_A_SECOND))
    finally:
        changing.cancel()
    return found


def _report_rates(found: dict[str, list[Measured]]) -> None:
    for name, rounds in found.items():
        _say(figures(name, "answers/s", [one.round.rate for one in rounds]))
        _say(figures(f"{name}, p99", "ms", [one.round.percentile(0.99) * 1000 for one in rounds]))
        _say(figures(f"{name}, processor time", "us/answer", [one.processor for one in rounds]))
    asked = sum(len(one.round.times) for one in found[ROUTER])
    refused, dials = (sum(getattr(one.round, what) for one in found[ROUTER]) for what in ("refused", "dials"))
    _say(f"  {ROUTER}, answers other than 200: {refused} of {asked:,}; dials: {dials / asked:.0%}")
    rates = {name: median(one.round.rate for one in rounds) for name, rounds in found.items()}
    costs = {name: median(one.processor for one in rounds) for name, rounds in found.items()}
    by_cost = {name: costs[name] / costs[ROUTER] for name in (ECHO, SELECT)}
    _say(f"  the same two ratios by processor time: {by_cost[ECHO]:.2f} and {by_cost[SELECT]:.2f}")
    _say(verdict("P1a", "call-router / raw ASGI echo", rates[ROUTER] / rates[ECHO], goal=0.5))
    _say(verdict("P1b", "call-router / FastAPI with one SELECT", rates[ROUTER] / rates[SELECT], goal=4))


def _report_times(found: dict[str, list[Round]]) -> None:
    _say(f"{CALLS_A_SECOND} calls/s while {RECORDS_A_SECOND:,} records/s are applied and snapshots are written")
    for name, rounds in found.items():
        for share in (0.5, 0.99, 0.999, 1):
            label = f"{name}, " + ("slowest" if share == 1 else f"p{share * 100:g}")
            _say(figures(label, "ms", [one.percentile(share) * 1000 for one in rounds]))
    together = Round(0, tuple(time for one in found[ROUTER] for time in one.times), 0, 0)
    _say(at_most("P1c", "call-router p99.9 in ms", together.percentile(0.999) * 1000, goal=20))
    _say(at_most("P1d", "call-router slowest answer in ms", max(together.times) * 1000, goal=50))


def _producer(stack: StackInfo) -> AIOKafkaProducer:
    return AIOKafkaProducer(bootstrap_servers=stack.kafka_bootstrap, acks="all", max_batch_size=256 * 1024)


def _processor(process: ServiceProcess) -> float:
    """Return how many seconds of a processor a server has taken so far."""
    fields = Path(f"/proc/{process.child.pid}/stat").read_text().rpartition(")")[2].split()
    user, system = int(fields[11]), int(fields[12])
    return (user + system) / os.sysconf("SC_CLK_TCK")


def _path(name: str) -> str:
    return WEBHOOK if name == ROUTER else "/hook"


def _port(process: ServiceProcess) -> int:
    return int(process.url.rpartition(":")[2])


async def _drained(router: ServiceProcess) -> None:
    """Wait until all call events have gone to Kafka, lest others be measured beside that."""
    async with httpx.AsyncClient(base_url=router.url, trust_env=False) as http:
        while _WAITING.search((await http.get("/metrics")).text) is None:  # noqa: ASYNC110 - another process
            await asyncio.sleep(0.2)


async def _listening(url: str) -> None:
    async with asyncio.timeout(60):
        while True:
            try:
                _, writer = await asyncio.open_connection(HOST, int(url.rpartition(":")[2]))
            except OSError:
                await asyncio.sleep(0.1)
            else:
                writer.close()
                return


def _say(line: str) -> None:
    print(line, flush=True)
