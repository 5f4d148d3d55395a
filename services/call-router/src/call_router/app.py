"""The composition root: the only module that knows which classes a router is made of."""

from dataclasses import dataclass

from starlette.types import ASGIApp

from call_router.replica.freshness import Freshness
from fareline_chassis.health import Health
from fareline_chassis.lifecycle import Background
from fareline_chassis.logs import get_logger

_CLIENT_ID = "call-router"
_log = get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Router:
    """A wired router: `asgi` to serve, `start` and `stop` around it."""

    asgi: ASGIApp
    health: Health
    background: Background
    freshness: Freshness
