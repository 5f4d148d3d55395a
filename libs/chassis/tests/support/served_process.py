"""A small service as a process, for tests of its life: `python served_process.py <how>`.

`how`: `plain`; `drain` (for a minute); `brief` (for a moment); `unready` (what it needs never comes); `broken` (the start
fails); `proxied` (by this machine).
"""

import asyncio
import sys
from datetime import timedelta

from prometheus_client import CollectorRegistry
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from fareline_chassis.health import Health, health_routes
from fareline_chassis.lifecycle import Background, run, serve, wait_for
from fareline_chassis.logs import configure_logging, get_logger

log = get_logger("served")
DRAINING = {"drain": timedelta(minutes=1), "brief": timedelta(seconds=0.1)}


async def slow(request: Request) -> Response:
    """Answer after a moment, saying first that the request has come."""
    log.info("request came")
    await asyncio.sleep(1)
    return PlainTextResponse("whole")


async def client(request: Request) -> Response:
    """Answer who asks."""
    return PlainTextResponse(request.client.host if request.client else "nobody")


async def for_ever() -> None:
    """Do nothing."""
    await asyncio.Event().wait()


async def main(how: str) -> None:
    """Serve until told to stop."""
    configure_logging("served", "INFO")
    log.info("loop", kind=type(asyncio.get_running_loop()).__module__)
    health = Health()
    background = Background(health)
    app = Starlette(
        routes=[Route("/slow", slow), Route("/client", client), *health_routes(health, CollectorRegistry())]
    )

    async def nothing_there() -> None:
        raise ConnectionRefusedError("nothing there")

    async def start() -> None:
        if how == "unready":
            await wait_for("Kafka", nothing_there, component=health.component("kafka"))
        if how == "broken":
            raise RuntimeError("cannot serve +79031112233")
        background.spawn("work", for_ever)

    async def stop() -> None:
        await background.stop()
        log.info("on_stop")

    drain = DRAINING.get(how, timedelta())
    proxies = ("127.0.0.0/8", "203.0.113.9") if how == "proxied" else ()
    await serve(
        app,
        host="127.0.0.1",
        port=0,
        on_start=start,
        on_stop=stop,
        health=health,
        drain=drain,
        trusted_proxies=proxies,
    )


if __name__ == "__main__":
    run(main(sys.argv[1]))
