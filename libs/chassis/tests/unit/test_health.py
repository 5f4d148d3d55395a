from collections.abc import Callable

import httpx
import pytest
from prometheus_client import CollectorRegistry, Counter
from starlette.applications import Starlette

from fareline_chassis.health import Health, health_routes

Get = Callable[[str], "httpx.Response"]


@pytest.fixture
def registry() -> CollectorRegistry:
    return CollectorRegistry()


@pytest.fixture
def now() -> list[float]:
    return [1000.0]


@pytest.fixture
def health(now: list[float]) -> Health:
    return Health(monotonic=lambda: now[0])


@pytest.fixture
def client(health: Health, registry: CollectorRegistry) -> httpx.AsyncClient:
    app = Starlette(routes=list(health_routes(health, registry)))
    return httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://service")


async def test_ready_once_started_and_every_required_part_works(health: Health, client: httpx.AsyncClient) -> None:
    kafka = health.component("kafka")
    health.component("storage", required=False).failed("away")
    kafka.waiting("waiting for Kafka")
    assert (await client.get("/health/startup")).status_code == 503
    assert (await client.get("/health/ready")).status_code == 503
    health.started = True
    assert (await client.get("/health/startup")).status_code == 200
    assert (await client.get("/health/ready")).status_code == 503
    kafka.ok()
    assert (await client.get("/health/ready")).status_code == 200
    health.draining = True
    assert (await client.get("/health/ready")).status_code == 503
    assert (await client.get("/health/live")).status_code == 200


async def test_the_body_lists_each_part_and_its_reason(health: Health, client: httpx.AsyncClient) -> None:
    health.component("postgres").failed("ConnectionRefusedError: port 5432")
    assert (await client.get("/health/ready")).json() == {
        "status": "unavailable",
        "started": False,
        "ready": False,
        "draining": False,
        "components": {
            "postgres": {"state": "failed", "detail": "ConnectionRefusedError: port 5432", "required": True}
        },
    }


async def test_no_outage_kills_the_process_but_a_lost_heartbeat_does(
    health: Health, client: httpx.AsyncClient, now: list[float]
) -> None:
    health.component("kafka").failed("gone")
    assert (await client.get("/health/live")).status_code == 200
    health.beat()
    now[0] += 9
    assert (await client.get("/health/live")).status_code == 200
    now[0] += 2
    assert (await client.get("/health/live")).status_code == 503
    health.beat()
    assert (await client.get("/health/live")).status_code == 200


def test_a_component_is_one_and_the_same_by_name(health: Health) -> None:
    assert health.component("kafka") is health.component("kafka")


def test_a_reason_is_masked_and_short(health: Health) -> None:
    part = health.component("a")
    part.failed("no slot for +79031112233 " + "x" * 5000)
    assert part.detail.startswith("no slot for +7***2233")
    assert len(part.detail) <= 300


async def test_metrics_are_those_of_the_registry(client: httpx.AsyncClient, registry: CollectorRegistry) -> None:
    Counter("fareline_calls", "calls", registry=registry).inc()
    answer = await client.get("/metrics")
    assert answer.headers["content-type"].startswith("text/plain; version=")
    assert "fareline_calls_total 1.0" in answer.text
