"""P1: signed Zadarma webhooks answered by one call-router process, beside an ASGI echo and FastAPI with one SELECT.

All three are processes of their own behind the same HTTP server; the same client asks them in turn.
"""

import asyncio
import os
import secrets
import sys
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from urllib.parse import urlencode

from aiokafka import AIOKafkaProducer

from bench.baselines import fill_lookup
from bench.load import Round, run_round
from bench.report import figures, verdict
from bench.router_world import beat, driver_phone, number_of, publish_world
from fareline_contracts.accounts import load_accounts
from fareline_devstack.kafka.topics import create_topics, registry_specs
from fareline_devstack.layout import DEMO_TOKEN, Layout, find_layout
from fareline_devstack.ports import HOST, free_port
from fareline_devstack.services.catalogue import CALL_ROUTER, ORDER_BINDER, Surroundings, environment_of
from fareline_devstack.services.process import ServiceProcess
from fareline_devstack.stack import Stack, StackInfo
from fareline_devstack.story.signatures import zadarma_webhook
from fareline_devstack.waiting import run_blocking

ACCOUNT = "demo-zadarma"
STRANGER_EVERY = 5


@dataclass(frozen=True, slots=True)
class Size:
    """How much is done: live bindings, requests and rounds for each contestant, connections."""

    bindings: int = 100_000
    requests: int = 8_000
    rounds: int = 3
    connections: int = 16


def run(size: Size) -> None:
    """Run the benchmark and print what it found."""
    with TemporaryDirectory() as folder, Stack() as stack, ExitStack() as running:
        layout, data = find_layout(), Path(folder)
        print(f"P1: {size.bindings:,} bindings, {size.requests:,} requests x {size.rounds} rounds each", flush=True)
        run_blocking(create_topics(stack.kafka_bootstrap, registry_specs("")))
        run_blocking(fill_lookup(stack.postgres_dsn))
        contestants = {
            "echo": _uvicorn("bench.baselines:echo", [], stack, layout, data),
            "fastapi + select": _uvicorn("bench.baselines:lookup_service", ["--factory"], stack, layout, data),
            "call-router": _router(stack, layout, data),
        }
        asyncio.run(_measure(contestants, stack, layout, size, running))


def _router(stack: StackInfo, layout: Layout, data: Path) -> ServiceProcess:
    told = Surroundings(
        kafka_bootstrap=stack.kafka_bootstrap,
        database_url=stack.postgres_dsn,
        topic_prefix="",
        ports={CALL_ROUTER.name: free_port(), ORDER_BINDER.name: free_port()},
        tokens_file=layout.tokens_file,
        accounts_file=layout.accounts_file,
        token=DEMO_TOKEN,
        data=data,
    )
    (data / CALL_ROUTER.name).mkdir()
    environment = environment_of(CALL_ROUTER, told) | {"ROUTER_FILL_WAIT_S": "60", "LOG_LEVEL": "WARNING"}
    argv, log_file = CALL_ROUTER.argv("run"), data / "call-router.log"
    return ServiceProcess(
        name=CALL_ROUTER.name, argv=argv, env=environment, log_file=log_file, url=told.url(CALL_ROUTER)
    )


def _uvicorn(target: str, options: list[str], stack: StackInfo, layout: Layout, data: Path) -> ServiceProcess:
    port, name = free_port(), target.partition(":")[2]
    argv = [sys.executable, "-m", "uvicorn", target, *options, "--host", HOST, "--port", str(port), "--no-access-log"]
    secret = load_accounts(layout.accounts_file, demo=True)[ACCOUNT].secrets[0].get_secret_value()
    environment = {**os.environ, "BENCH_SECRET": secret, "BENCH_DATABASE": stack.postgres_dsn}
    return ServiceProcess(
        name=name, argv=argv, env=environment, log_file=data / f"{name}.log", url=f"http://{HOST}:{port}"
    )


async def _measure(
    contestants: dict[str, ServiceProcess], stack: StackInfo, layout: Layout, size: Size, running: ExitStack
) -> None:
    producer = AIOKafkaProducer(bootstrap_servers=stack.kafka_bootstrap, acks="all", max_batch_size=256 * 1024)
    await producer.start()
    beating = asyncio.create_task(beat(producer, ""))
    try:
        await publish_world(producer, "", size.bindings)
        for process in contestants.values():
            process.start()
            running.callback(process.stop)
        await asyncio.gather(*(_listening(process.url) for process in contestants.values()))
        await asyncio.to_thread(contestants["call-router"].wait_started)
        secret = load_accounts(layout.accounts_file, demo=True)[ACCOUNT].secrets[0].get_secret_value()
        _report(await _rounds(contestants, secret, size), size)
    finally:
        beating.cancel()
        await producer.stop()


async def _rounds(contestants: dict[str, ServiceProcess], secret: str, size: Size) -> dict[str, list[Round]]:
    found: dict[str, list[Round]] = {name: [] for name in contestants}
    for turn in range(size.rounds + 1):
        for name, process in contestants.items():
            path = f"/pbx/zadarma/{ACCOUNT}" if name == "call-router" else "/hook"
            requests = [_webhook(path, secret, number, size) for number in range(size.requests)]
            port = int(process.url.rpartition(":")[2])
            one = await run_round(HOST, port, requests, connections=size.connections)
            if turn:
                found[name].append(one)
    return found


def _webhook(path: str, secret: str, number: int, size: Size) -> bytes:
    index = secrets.randbelow(size.bindings)
    caller = f"+7800{number:07d}" if number % STRANGER_EVERY == 0 else driver_phone(index)
    form = {
        "event": "NOTIFY_START",
        "caller_id": caller,
        "called_did": number_of(index).removeprefix("+"),
        "call_start": f"{datetime.now(UTC):%Y-%m-%d %H:%M:%S}",
        "pbx_call_id": "in_" + secrets.token_hex(20),
    }
    body = urlencode(form)
    return (
        f"POST {path} HTTP/1.1\r\nHost: {HOST}\r\nContent-Type: application/x-www-form-urlencoded\r\n"
        f"Signature: {zadarma_webhook(secret, form)}\r\nContent-Length: {len(body)}\r\n\r\n{body}"
    ).encode()


async def _listening(url: str) -> None:
    port = int(url.rpartition(":")[2])
    async with asyncio.timeout(60):
        while True:
            try:
                _, writer = await asyncio.open_connection(HOST, port)
            except OSError:
                await asyncio.sleep(0.1)
            else:
                writer.close()
                return


def _report(found: dict[str, list[Round]], size: Size) -> None:
    for name, rounds in found.items():
        print(figures(name, "answers/s", [one.rate for one in rounds]))
        print(figures(f"{name}, p99", "ms", [one.percentile(0.99) * 1000 for one in rounds]))
    refused = sum(one.refused for one in found["call-router"])
    print(f"  call-router, answers other than 200: {refused} of {size.requests * size.rounds:,}")
    rates = {name: median(one.rate for one in rounds) for name, rounds in found.items()}
    print(verdict("P1a", "call-router / raw ASGI echo", rates["call-router"] / rates["echo"], goal=0.5))
    select = rates["fastapi + select"]
    print(verdict("P1b", "call-router / FastAPI with one SELECT", rates["call-router"] / select, goal=4))
