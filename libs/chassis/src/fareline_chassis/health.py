"""Health: what each part of the service says of itself, and the routes that tell the outside."""

import time
from dataclasses import dataclass, field
from typing import Final, Literal

import orjson
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from fareline_chassis.clock import Monotonic
from fareline_chassis.privacy import redact_phones

State = Literal["ok", "waiting", "failed"]

BEAT_EVERY_S: Final = 1.0
_BEAT_LOST_AFTER_S: Final = 10.0
_LONGEST_DETAIL: Final = 300


@dataclass(slots=True)
class HealthComponent:
    """One part's own word on its state. `required` parts decide on readiness, others are only shown."""

    name: str
    required: bool = True
    state: State = "waiting"
    detail: str = "not started"

    def ok(self, detail: str = "") -> None:
        """Say that the part works."""
        self.state, self.detail = "ok", _shown(detail)

    def waiting(self, reason: str) -> None:
        """Say what the part waits for."""
        self.state, self.detail = "waiting", _shown(reason)

    def failed(self, reason: str) -> None:
        """Say why the part does not work just now."""
        self.state, self.detail = "failed", _shown(reason)


@dataclass(slots=True)
class Health:
    """The state of one service process. `lifecycle.serve` sets `started` and `draining` and beats."""

    started: bool = False
    draining: bool = False
    monotonic: Monotonic = time.monotonic
    _components: dict[str, HealthComponent] = field(default_factory=dict)
    _beat_at: float | None = None

    def component(self, name: str, *, required: bool = True) -> HealthComponent:
        """Return the component `name`, made on first use. With `required=False` it does not decide on readiness."""
        return self._components.setdefault(name, HealthComponent(name=name, required=required))

    def beat(self) -> None:
        """Say that the event loop still turns; due every `BEAT_EVERY_S` from the first one on."""
        self._beat_at = self.monotonic()

    @property
    def alive(self) -> bool:
        """Whether the event loop turns. It depends on nothing outside, so that no outage gets a process killed."""
        return self._beat_at is None or self.monotonic() - self._beat_at < _BEAT_LOST_AFTER_S

    @property
    def ready(self) -> bool:
        """Whether the service should be given work."""
        required = (part for part in self._components.values() if part.required)
        return self.started and not self.draining and all(part.state == "ok" for part in required)

    def snapshot(self) -> dict[str, object]:
        """Return everything as plain values, as the health routes show it."""
        components = {
            part.name: {"state": part.state, "detail": part.detail, "required": part.required}
            for part in self._components.values()
        }
        return {
            "started": self.started,
            "ready": self.ready,
            "draining": self.draining,
            "components": components,
        }


def health_routes(health: Health, registry: CollectorRegistry) -> list[Route]:
    """Return `/health/startup`, `/health/ready`, `/health/live` (JSON, 200 or 503) and `/metrics` (Prometheus text)."""

    def answer(*, good: bool) -> Response:
        body = orjson.dumps({"status": "ok" if good else "unavailable", **health.snapshot()})
        return Response(body, status_code=200 if good else 503, media_type="application/json")

    async def startup(_: Request) -> Response:
        return answer(good=health.started)

    async def ready(_: Request) -> Response:
        return answer(good=health.ready)

    async def live(_: Request) -> Response:
        return answer(good=health.alive)

    async def metrics(_: Request) -> Response:
        return Response(generate_latest(registry), headers={"content-type": CONTENT_TYPE_LATEST})

    return [
        Route("/health/startup", startup),
        Route("/health/ready", ready),
        Route("/health/live", live),
        Route("/metrics", metrics),
    ]


def _shown(detail: str) -> str:
    return redact_phones(detail)[:_LONGEST_DETAIL]
