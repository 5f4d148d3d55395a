"""P6: the analysts' questions to recording-ingest over HTTP, beside the same SQL by asyncpg and orjson.

The service is a process of its own; the baseline runs here, on one connection, without HTTP, tokens or checks: what it
takes is what the database takes. Both ask the same things in turn, and the service also a route that does nothing: what
that takes is HTTP's share.
"""

import asyncio
import hashlib
import json
import random
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from time import perf_counter
from urllib.parse import urlencode

import asyncpg
import httpx
import orjson

from bench.calllog_world import World, caller_of, fill, number_of, tenant_of
from bench.report import at_most, figures
from fareline_chassis.postgres.migrations import migrate
from fareline_chassis.postgres.pool import prepare_connection
from fareline_chassis.postgres.sql import Queries, load_queries
from fareline_devstack.kafka.topics import create_topics, registry_specs
from fareline_devstack.layout import DEMO_TOKEN, Layout, find_layout
from fareline_devstack.ports import HOST, free_port
from fareline_devstack.services.catalogue import (
    CALL_ROUTER,
    ORDER_BINDER,
    RECORDING_INGEST,
    Surroundings,
    environment_of,
)
from fareline_devstack.services.process import ServiceProcess
from fareline_devstack.stack import Stack, StackInfo
from fareline_devstack.waiting import run_blocking
from recording_ingest.domain.search import CallFilter, Cursor
from recording_ingest.outbound.call_questions import order_statement, page_statement, stats_statement
from recording_ingest.outbound.phone_keys import PhoneKeys
from recording_ingest.outbound.phone_vault import PhoneVault

SCHEMA = "recording_ingest"
TOKEN = "bench-analyst"
PAGE = 50


@dataclass(frozen=True, slots=True)
class Size:
    """How much is done: calls in the table, questions of each kind in a round, rounds."""

    calls: int = 10_000_000
    questions: int = 60
    rounds: int = 3


@dataclass(frozen=True, slots=True)
class Question:
    """One question both ways: a request to the service, a statement with its arguments for the baseline."""

    request: bytes
    statement: str
    arguments: Sequence[object]


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of question, and how much more than the bare SQL it may take at p95."""

    name: str
    goal: float
    make: Callable[[random.Random], Awaitable[Question]]
    share: float = 1.0


class Wire:
    """One kept-open connection to the service, opened again where the service has closed it for being idle."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def served(self, question: Question) -> float:
        """Return how long the service took for a question, in seconds."""
        try:
            return await self._ask(question)
        except (asyncio.IncompleteReadError, ConnectionError):
            self.close()
            return await self._ask(question)

    def close(self) -> None:
        """Let go of the connection."""
        if self._streams:
            self._streams[1].close()
        self._streams = None

    async def _ask(self, question: Question) -> float:
        if self._streams is None:
            self._streams = await asyncio.open_connection(HOST, self._port, limit=8 * 1024 * 1024)
        reader, writer = self._streams
        began = perf_counter()
        writer.write(question.request)
        head = await reader.readuntil(b"\r\n\r\n")
        body = await reader.readexactly(_length_of(head))
        took = perf_counter() - began
        if not head.startswith(b"HTTP/1.1 200"):
            raise RuntimeError(f"the service answered {head[:40]!r}: {body[:300]!r}")
        return took


def run(size: Size) -> None:
    """Run the benchmark and print what it found."""
    with TemporaryDirectory() as folder, Stack() as stack:
        print(f"P6: {size.calls:,} calls, {size.questions} questions of a kind x {size.rounds} rounds", flush=True)
        run_blocking(create_topics(stack.kafka_bootstrap, registry_specs("")))
        layout = find_layout()
        vault = PhoneVault(PhoneKeys.load(layout.tokens_file.with_name("phone-keys.json"), demo=True))
        service = _service(stack, layout, Path(folder))
        world = asyncio.run(_fill(stack.postgres_dsn, vault, size))
        service.start()
        try:
            service.wait_started()
            asyncio.run(_measure(stack.postgres_dsn, vault, service.url, world, size))
        finally:
            service.stop()


def _service(stack: StackInfo, layout: Layout, folder: Path) -> ServiceProcess:
    tokens = folder / "tokens.json"
    digest = hashlib.sha256(TOKEN.encode()).hexdigest()
    entry = {"name": "analyst", "sha256": digest, "tenants": ["*"], "scopes": ["calls:read"]}
    tokens.write_text(json.dumps({"tokens": [entry]}))
    told = Surroundings(
        kafka_bootstrap=stack.kafka_bootstrap,
        database_url=stack.postgres_dsn,
        topic_prefix="",
        ports={one.name: free_port() for one in (CALL_ROUTER, ORDER_BINDER, RECORDING_INGEST)},
        tokens_file=layout.tokens_file,
        accounts_file=layout.accounts_file,
        token=DEMO_TOKEN,
        data=folder,
    )
    environment = environment_of(RECORDING_INGEST, told)
    environment |= {"LOG_LEVEL": "WARNING", "FARELINE_TOKENS_FILE": str(tokens)}
    log_file, argv = folder / "recording-ingest.log", RECORDING_INGEST.argv("run")
    url = told.url(RECORDING_INGEST)
    return ServiceProcess(name=RECORDING_INGEST.name, argv=argv, env=environment, log_file=log_file, url=url)


async def _fill(dsn: str, vault: PhoneVault, size: Size) -> World:
    await migrate(dsn, "recording_ingest.migrations", SCHEMA, "all")
    connection = await asyncpg.connect(dsn, server_settings={"search_path": SCHEMA})
    try:
        return await fill(connection, vault, size.calls, datetime.now(UTC))
    finally:
        await connection.close()


async def _measure(dsn: str, vault: PhoneVault, url: str, world: World, size: Size) -> None:
    session = {"search_path": SCHEMA, "TimeZone": "UTC"}
    connection = await asyncpg.connect(dsn, server_settings=session)
    await prepare_connection(connection)
    wire = Wire(int(url.rpartition(":")[2]))
    asked = Asked(load_queries("recording_ingest.outbound", "calls"), vault, world, url)
    p95: dict[str, float] = {}
    try:
        for kind in asked.kinds():
            p95[kind.name] = await _kind(kind, connection, wire, size)
    finally:
        wire.close()
        await connection.close()
    depth = p95["page 1,000"] / p95["page 1"]
    print(at_most("P6", "page 1,000 / page 1, the service's own p95", depth, goal=1.5))


async def _kind(kind: Kind, connection: asyncpg.Connection, wire: Wire, size: Size) -> float:
    drawn, ratios, ours, bare, http = random.Random(6), [], [], [], []
    for turn in range(size.rounds + 1):
        questions = [await kind.make(drawn) for _ in range(max(3, round(size.questions * kind.share)))]
        times: tuple[list[float], list[float], list[float]] = ([], [], [])
        for place, question in enumerate(questions):
            both = (partial(_bare, connection, question), partial(wire.served, question))
            # whoever asks second finds the pages in memory, so they take turns
            for which in (0, 1) if place % 2 else (1, 0):
                times[which].append(await both[which]())
            times[2].append(await wire.served(_NOTHING))
        if turn:
            http.append(_p95(times[2]) * 1000)
            bare.append(_p95(times[0]) * 1000)
            ours.append(_p95(times[1]) * 1000)
            ratios.append(ours[-1] / bare[-1])
    print(figures(f"{kind.name}: asyncpg + orjson, p95", "ms", bare))
    print(figures(f"{kind.name}: HTTP alone, p95", "ms", http))
    print(figures(f"{kind.name}: recording-ingest, p95", "ms", ours))
    print(at_most("P6", f"{kind.name}, p95 against the same SQL", median(ratios), goal=kind.goal), flush=True)
    return median(ours)


async def _bare(connection: asyncpg.Connection, question: Question) -> float:
    began = perf_counter()
    rows = await connection.fetch(question.statement, *question.arguments)
    orjson.dumps({"calls": [dict(row) for row in rows]})
    return perf_counter() - began


def _length_of(head: bytes) -> int:
    lines = head.lower().split(b"\r\n")
    return next(int(line.partition(b":")[2]) for line in lines if line.startswith(b"content-length"))


def _p95(times: Sequence[float]) -> float:
    return sorted(times)[min(len(times) - 1, int(0.95 * len(times)))]


class Asked:
    """Makes the questions of each kind, at random places of the newest month."""

    def __init__(self, queries: Queries, vault: PhoneVault, world: World, url: str) -> None:
        self._queries = queries
        self._vault = vault
        self._world = world
        self._url = url
        self._deep: dict[str, tuple[str, Cursor]] = {}

    def kinds(self) -> Sequence[Kind]:
        """Return all kinds with their goals."""
        return (
            Kind("calls of an order", 1.5, self.order),
            Kind("calls of a caller", 1.5, self.caller),
            Kind("a number on a day", 1.5, self.number),
            Kind("page 1", 1.5, self.page),
            Kind("page 1,000", 1.5, self.deep),
            Kind("1,000 calls a page", 2.0, self.wide, share=0.5),
            Kind("statistics of a month", 1.5, self.stats, share=0.05),
        )

    async def order(self, drawn: random.Random) -> Question:
        """Ask for the calls of an order."""
        call = self._call(drawn)
        tenant, order_id = tenant_of(call), f"o-{call // 3}"
        statement = order_statement(self._queries, in_full=False)
        return Question(_get(f"/v1/tenants/{tenant}/orders/{order_id}/calls"), statement, (tenant, order_id))

    async def caller(self, drawn: random.Random) -> Question:
        """Ask for the newest calls of a caller."""
        call = self._call(drawn)
        wanted = replace(self._month(tenant_of(call)), caller=caller_of(call))
        body = {**_parameters(wanted), "caller": wanted.caller, "limit": PAGE}
        return self._question(_post("/v1/calls/search", body), wanted)

    async def number(self, drawn: random.Random) -> Question:
        """Ask for what was dialled to a number on one day."""
        call = self._call(drawn)
        day = self._world.last_month[0] + timedelta(days=drawn.randrange(28))
        wanted = replace(self._month(tenant_of(call)), number=number_of(call), since=day, until=day + timedelta(days=1))
        return self._question(_get("/v1/calls", {**_parameters(wanted), "number": wanted.number}), wanted)

    async def page(self, drawn: random.Random) -> Question:
        """Ask for the newest calls of a tenant."""
        wanted = self._month(tenant_of(self._call(drawn)))
        return self._question(_get("/v1/calls", _parameters(wanted)), wanted)

    async def wide(self, drawn: random.Random) -> Question:
        """Ask for a thousand of them."""
        wanted = replace(self._month(tenant_of(self._call(drawn))), limit=1000)
        return self._question(_get("/v1/calls", _parameters(wanted)), wanted)

    async def deep(self, drawn: random.Random) -> Question:
        """Ask for the page after 999 others."""
        tenant = f"tenant-{drawn.randrange(4)}"
        if tenant not in self._deep:
            self._deep[tenant] = await self._walk(tenant)
        word, cursor = self._deep[tenant]
        wanted = replace(self._month(tenant), cursor=cursor)
        return self._question(_get("/v1/calls", {**_parameters(wanted), "cursor": word}), wanted)

    async def stats(self, drawn: random.Random) -> Question:
        """Ask for a tenant's month, day by day."""
        wanted = self._month(tenant_of(self._call(drawn)))
        parameters = _parameters(wanted)
        del parameters["limit"]
        statement, arguments = stats_statement(self._queries, self._vault, wanted, "day", "UTC")
        return Question(_get("/v1/calls/stats", parameters), statement, arguments)

    async def _walk(self, tenant: str) -> tuple[str, Cursor]:
        """Go 999 pages deep by larger pages; less deep where there are fewer calls."""
        wanted = replace(self._month(tenant), limit=min(999, max(1, self._world.calls // 5000)))
        parameters: dict[str, object] = _parameters(wanted)
        headers = {"Authorization": f"Bearer {TOKEN}"}
        async with httpx.AsyncClient(base_url=self._url, headers=headers, trust_env=False, timeout=60) as client:
            for _ in range(PAGE):
                page = (await client.get("/v1/calls", params=parameters)).json()  # type: ignore[arg-type]
                if page["next"] is None:
                    break
                parameters["cursor"], last = page["next"], page["calls"][-1]
        instant = datetime.fromisoformat(last["started_at"])
        return str(parameters["cursor"]), Cursor(instant, last["call_id"], wanted.since, wanted.until)

    def _question(self, request: bytes, wanted: CallFilter) -> Question:
        return Question(request, *page_statement(self._queries, self._vault, wanted, in_full=False))

    def _call(self, drawn: random.Random) -> int:
        return self._world.a_call(drawn.random())

    def _month(self, tenant: str) -> CallFilter:
        since, until = self._world.last_month
        return CallFilter((tenant,), since, until, limit=PAGE)


def _parameters(wanted: CallFilter) -> dict[str, object]:
    (tenant,) = wanted.tenants or ("",)
    times = {"since": wanted.since.isoformat(), "until": wanted.until.isoformat()}
    return {**times, "tenant": tenant, "limit": wanted.limit}


def _get(path: str, parameters: dict[str, object] | None = None) -> bytes:
    query = f"?{urlencode(parameters)}" if parameters else ""
    return f"GET {path}{query} HTTP/1.1\r\nHost: bench\r\nAuthorization: Bearer {TOKEN}\r\n\r\n".encode()


_NOTHING = Question(_get("/health/live"), "", ())


def _post(path: str, document: dict[str, object]) -> bytes:
    body = json.dumps(document).encode()
    head = f"POST {path} HTTP/1.1\r\nHost: bench\r\nAuthorization: Bearer {TOKEN}\r\nContent-Type: application/json\r\n"
    return f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body
