"""Two routers under load while everything behind them is taken away, frozen and brought back.

Every question and report is answered with 200 within a second, every decision is right, and afterwards every event
stands in Kafka once by its id and every call has one row in the call log.
"""

import asyncio
import time
from collections import defaultdict
from datetime import UTC, datetime, timedelta

import httpx
import pytest
from steady_callers import Callers, Pair

from fareline_chassis.health import HealthComponent
from fareline_chassis.kafka.assigned import AssignedReader
from fareline_contracts.topics import CALLS
from fareline_devstack.demo_data import load_demo
from fareline_devstack.kafka.topics import create_topics, registry_specs
from fareline_devstack.layout import DEMO_TOKEN, find_layout
from fareline_devstack.ports import free_port
from fareline_devstack.postgres.databases import create_database
from fareline_devstack.services.catalogue import (
    CALL_ROUTER,
    ORDER_BINDER,
    RECORDING_INGEST,
    SERVICES,
    Surroundings,
    environment_of,
)
from fareline_devstack.services.process import ServiceProcess, run_to_end
from fareline_devstack.story.call_log import CallLog
from fareline_devstack.waiting import run_blocking

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(600)]
ORDERS = 9
STRANGER = "+79157770001"
HEADERS = {"Authorization": f"Bearer {DEMO_TOKEN}"}
NO_LIMITS = {"count": 100_000, "minutes": 10}
POLICY = {
    "numbering": "pool",
    "limits": dict.fromkeys(("dials_active", "dials_grace_short", "dials_grace_long"), NO_LIMITS),
}


class World:
    """Everything that runs, each part to be broken."""

    def __init__(self, kafka, postgres, folder):
        layout = find_layout()
        self.kafka, self.postgres, self.layout = kafka, postgres, layout
        bootstrap, dsn = kafka.start(), postgres.start()
        run_blocking(create_topics(bootstrap, registry_specs()))
        self.told = Surroundings(
            kafka_bootstrap=bootstrap,
            database_url=run_blocking(create_database(dsn, "faults")),
            topic_prefix="",
            ports={service.name: free_port() for service in SERVICES},
            tokens_file=layout.tokens_file,
            accounts_file=layout.accounts_file,
            token=DEMO_TOKEN,
            data=folder,
        )
        for service in SERVICES:
            if service.migrates:
                run_to_end(
                    name=service.name,
                    argv=service.argv("migrate"),
                    env=environment_of(service, self.told),
                    log_file=folder / f"{service.name}.log",
                )
        self.binder = self._service(ORDER_BINDER, folder)
        self.ingest = self._service(RECORDING_INGEST, folder)
        self.routers = [self._router(name, folder) for name in ("router-1", "router-2")]
        self.services = [self.binder, self.ingest, *self.routers]

    def _service(self, service, folder, **more):
        return ServiceProcess(
            name=service.name,
            argv=service.argv("run"),
            env=environment_of(service, self.told),
            log_file=folder / f"{service.name}.log",
            url=self.told.url(service),
        )

    def _router(self, node, folder):
        port = free_port()
        own = {
            "HTTP_PORT": str(port),
            "ROUTER_NODE": node,
            "ROUTER_DATA_DIR": str(folder / node),
            "ROUTER_SNAPSHOT_EVERY_S": "20",
        }
        return ServiceProcess(
            name=node,
            argv=CALL_ROUTER.argv("run"),
            env=environment_of(CALL_ROUTER, self.told) | own,
            log_file=folder / f"{node}.log",
            url=f"http://127.0.0.1:{port}",
        )

    def start(self):
        for service in self.services:
            service.start()
        for service in self.services:
            service.wait_started()

    def stop(self):
        for service in self.services:
            if service.running:
                service.resume()
            service.stop()


@pytest.fixture
def world(own_kafka, own_postgres, tmp_path):
    world = World(own_kafka, own_postgres, tmp_path)
    try:
        world.start()
        yield world
    finally:
        world.stop()


def order(number: int) -> tuple[str, str]:
    return f"+7903200{number:04}", f"+7926200{number:04}"


def carry_out_orders(world: World) -> list[Pair]:
    """Let the platform accept some orders, and return who reaches whom over which number."""
    load_demo(world.binder.url, DEMO_TOKEN, world.layout.demo)
    pairs = []
    with httpx.Client(base_url=world.binder.url, headers=HEADERS, trust_env=False, timeout=30) as http:
        http.put("/v1/tenants/demo", json={"region": "RU", "policy": POLICY}).raise_for_status()
        for number in range(ORDERS):
            driver, client = order(number)
            snapshot = {
                "tenant": "demo",
                "order_id": f"f-{number}",
                "version": 1,
                "status": "accepted",
                "status_changed_at": datetime.now(UTC).isoformat(),
                "client": {"id": f"c-{number}", "phones": [client]},
                "driver": {"id": f"d-{number}", "phones": [driver]},
            }
            http.put(f"/v1/tenants/demo/orders/f-{number}", json=snapshot).raise_for_status()
        for number in range(ORDERS):
            path = f"/v1/tenants/demo/orders/f-{number}/binding?min_version=1&wait=20s"
            shown = http.get(path, timeout=60).json()
            pairs.append(Pair(*order(number), shown["number"]))
    return pairs


def metric(router: ServiceProcess, name: str) -> float:
    text = httpx.get(f"{router.url}/metrics", trust_env=False, timeout=30).text
    return next(
        float(line.rsplit(" ", 1)[1]) for line in text.splitlines() if line.startswith(f"fareline_router_{name} ")
    )


def until(what: str, condition, within_s: float = 60.0) -> None:
    deadline = time.monotonic() + within_s
    while not condition():
        assert time.monotonic() < deadline, f"never: {what}"
        time.sleep(0.1)


def ready(world: World) -> None:
    """Wait until both routers know everything, on disk too."""
    for router in world.routers:
        until("all bindings", lambda one=router: metric(one, "bindings") == ORDERS)
        until("the tenant's policy", lambda one=router: metric(one, "tenants") == 2)
        until("heartbeats", lambda one=router: metric(one, "cut_off") == 0)
    known_at = time.monotonic()
    for router in world.routers:
        until("a snapshot", lambda one=router: metric(one, "snapshot_age_seconds") < time.monotonic() - known_at)


class Breaking:
    """Breaks things under load, naming what is broken, and lets each last for a while."""

    def __init__(self, world: World, callers: Callers) -> None:
        self.world, self.callers = world, callers

    def lasts(self, what: str, seconds: float = 2.0) -> None:
        self.callers.now_broken = what
        time.sleep(seconds)

    def restarted(self, router: ServiceProcess, what: str, *, killed: bool) -> None:
        """End a router under load and start it anew; it gets calls again once it says that it has started."""
        self.callers.now_broken = what
        router.kill() if killed else self.ended_in_order(router)
        self.callers.routers.remove(router.url)
        router.start()
        router.wait_started()
        self.callers.routers.append(router.url)
        self.lasts(what, 1)

    def ended_in_order(self, router: ServiceProcess) -> None:
        assert router.stop() == 0, "SIGTERM ends in order"

    def order_binder_gone(self) -> None:
        self.world.binder.kill()
        self.lasts("order-binder gone")
        self.world.binder.start()

    def order_binder_frozen(self) -> None:
        self.world.binder.freeze()
        self.lasts("order-binder frozen", 3)
        self.world.binder.resume()

    def postgres_gone(self) -> None:
        self.world.postgres.stop()
        self.lasts("postgres gone")
        self.world.postgres.start()

    def kafka_frozen(self) -> None:
        self.world.kafka.process.freeze()
        self.lasts("kafka frozen", 2)
        self.world.kafka.process.resume()

    def kafka_gone_and_a_router_restarted(self) -> None:
        self.callers.now_broken = "kafka gone"
        self.world.kafka.stop()
        self.lasts("kafka gone", 1)
        self.restarted(self.world.routers[0], "kafka gone, a router restarted", killed=False)
        self.world.kafka.start()

    def everything_gone_and_a_router_killed(self) -> None:
        self.callers.now_broken = "everything gone"
        self.world.kafka.stop()
        self.world.postgres.stop()
        self.world.binder.kill()
        self.lasts("everything gone", 1)
        self.restarted(self.world.routers[1], "everything gone, a router killed", killed=True)
        self.world.postgres.start()
        self.world.kafka.start()
        self.world.binder.start()
        self.world.binder.wait_started()

    def rolling_update(self) -> None:
        for router in self.world.routers:
            self.restarted(router, "a rolling update", killed=False)


def test_every_call_is_answered_right_and_logged_once_whatever_breaks(world):
    begun = datetime.now(UTC) - timedelta(minutes=1)
    pairs = carry_out_orders(world)
    ready(world)
    callers = Callers([router.url for router in world.routers], pairs, STRANGER)
    breaking = Breaking(world, callers)
    callers.start()
    try:
        breaking.lasts("nothing", 1)
        breaking.order_binder_gone()
        breaking.order_binder_frozen()
        breaking.postgres_gone()
        breaking.kafka_frozen()
        breaking.kafka_gone_and_a_router_restarted()
        breaking.everything_gone_and_a_router_killed()
        breaking.rolling_update()
    finally:
        callers.stop()
    assert not callers.wrong, f"{len(callers.wrong)} of {2 * len(callers.calls)}: {callers.wrong[:10]}"
    assert len(callers.calls) > 200
    for router in world.routers:
        until("empty spools", lambda one=router: metric(one, "spool_waiting_bytes") == 0)
    found = asyncio.run(events_by_call(world.told.kafka_bootstrap))
    assert {call: dict(kinds) for call, kinds in found.items()} == {
        call: {"routed": 1, "ended": 1} for call in callers.calls
    }
    until("a row for every call", lambda: len(asyncio.run(rows(world, begun))) >= len(callers.calls))
    logged = [row["pbx_call_id"] for row in asyncio.run(rows(world, begun))]
    assert sorted(logged) == sorted(callers.calls)


async def events_by_call(bootstrap: str) -> dict[str, dict[str, int]]:
    """Return for each call how many events of each kind there are, those of one `ce_id` counted once."""
    reader = AssignedReader(bootstrap, [CALLS.name], client_id="test")
    await reader.start(HealthComponent("reader"))
    try:
        records = [record async for batch in reader.load() for record in batch]
    finally:
        await reader.stop()
    ids: dict[bytes, tuple[str, str]] = {}
    for record in records:
        model = CALLS.records[record.header("ce_type").decode()]
        kind = record.header("ce_type").decode().split(".")[2]
        event_id = record.header("ce_id")
        what = (model.model_validate_json(record.value).pbx_call_id, kind)
        assert ids.setdefault(event_id, what) == what, "one id, one event"
    counted: dict[str, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    for call, kind in ids.values():
        counted[call][kind] += 1
    return counted


async def rows(world: World, since: datetime) -> list:
    async with httpx.AsyncClient(trust_env=False, timeout=30) as http:
        return list(await CallLog(http, world.ingest.url, DEMO_TOKEN).calls(since))
