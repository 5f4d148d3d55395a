"""The life of a service process: wait for what it needs, serve, keep its background work running, stop in order."""

import asyncio
import contextlib
import signal
import sys
import time
from collections.abc import Awaitable, Callable, Coroutine, Iterator, Sequence
from datetime import timedelta
from types import TracebackType
from typing import Final, TypeVar

import uvicorn
import uvloop
from starlette.types import ASGIApp

from fareline_chassis.backoff import Backoff
from fareline_chassis.health import BEAT_EVERY_S, Health, HealthComponent
from fareline_chassis.logs import get_logger
from fareline_chassis.privacy import redact_phones

T = TypeVar("T")

_log = get_logger("fareline.lifecycle")
_SAY_AGAIN_AFTER_S: Final = 10.0
_FIRST_RETRY: Final = timedelta(milliseconds=100)
_LAST_RETRY: Final = timedelta(seconds=5)
_STEADY_AFTER_S: Final = 5.0
_FAILED: Final = 1
_UNUSABLE: Final = 2


@contextlib.contextmanager
def explained(service: str, *unusable: type[Exception]) -> Iterator[None]:
    """End with code 2 and `<service> cannot start: <why>` on standard error where one of `unusable` is raised inside.

    For files that the operator gives, such as tokens: what is wrong there is no crash, and a stack trace says nothing.
    Raises SystemExit(2).
    """
    try:
        yield
    except unusable as error:
        sys.stderr.write(f"{service} cannot start: {redact_phones(str(error))}\n")
        raise SystemExit(_UNUSABLE) from None


async def wait_for(name: str, attempt: Callable[[], Awaitable[T]], *, component: HealthComponent) -> T:
    """Call `attempt` until it works and return what it returned.

    Between failures the delay grows to 5 s, jittered. `component` says what is waited for; so does the log, at the
    first failure and every 10 s. Any Exception counts as "not yet"; cancellation ends the wait.
    """
    backoff = Backoff(_FIRST_RETRY, _LAST_RETRY)
    said_at: float | None = None
    while True:
        try:
            result = await attempt()
        except Exception as error:  # noqa: BLE001 - whatever it is, there is nothing to do but wait
            reason = _reason(error)
            component.waiting(f"waiting for {name}: {reason}")
            now = time.monotonic()
            if said_at is None or now - said_at >= _SAY_AGAIN_AFTER_S:
                said_at = now
                _log.warning("waiting", waiting_for=name, reason=reason)
            await asyncio.sleep(backoff.next())
        else:
            component.ok()
            if said_at is not None:
                _log.info("no longer waiting", waiting_for=name)
            return result


class Background:
    """Tasks that run as long as the process. One that raises is logged, shown in health and started again."""

    def __init__(self, health: Health) -> None:
        self._health = health
        self._tasks: dict[str, asyncio.Task[None]] = {}

    def spawn(self, name: str, fn: Callable[[], Awaitable[None]], *, required: bool = True) -> HealthComponent:
        """Run `fn` under the health component `name`, which is returned, and again after each exception.

        The delay before a restart grows to 5 s, jittered. A restarted task counts as well once it has run for 5 s. A
        task that returns is finished and stays so. Names are unique (ValueError).
        """
        if name in self._tasks:
            raise ValueError(f"{name} runs already")
        component = self._health.component(name, required=required)
        self._tasks[name] = asyncio.create_task(self._supervise(name, fn, component), name=name)
        return component

    async def _supervise(self, name: str, fn: Callable[[], Awaitable[None]], component: HealthComponent) -> None:
        backoff = Backoff(_FIRST_RETRY, _LAST_RETRY)
        component.ok()
        while True:
            started_at = time.monotonic()
            steady = asyncio.get_running_loop().call_later(_STEADY_AFTER_S, _recovered, component)
            try:
                await fn()
            except Exception as error:  # noqa: BLE001 - supervision is for whatever goes wrong
                component.failed(_reason(error))
                _log.exception("background task failed, it is started again", task=name)
            else:
                component.ok("finished")
                return
            finally:
                steady.cancel()
            if time.monotonic() - started_at >= _STEADY_AFTER_S:
                backoff.reset()
            await asyncio.sleep(backoff.next())

    async def stop(self, timeout: timedelta = timedelta(seconds=10)) -> None:  # noqa: ASYNC109 - bounds the wait only
        """Cancel every task and wait until they have ended, `timeout` at most; what has not by then is logged."""
        tasks = list(self._tasks.values())
        for task in tasks:
            task.cancel()
        if tasks:
            _, late = await asyncio.wait(tasks, timeout=timeout.total_seconds())
            for task in late:
                _log.error("background task does not stop", task=task.get_name())
        self._tasks.clear()


def _recovered(component: HealthComponent) -> None:
    if component.state == "failed":
        component.ok()


async def serve(
    app: ASGIApp,
    *,
    host: str,
    port: int,
    on_stop: Callable[[], Awaitable[None]],
    health: Health,
    on_start: Callable[[], Awaitable[None]] | None = None,
    drain: timedelta = timedelta(),
    stop_within: timedelta = timedelta(seconds=20),
    trusted_proxies: Sequence[str] = (),
) -> None:
    """Serve `app` until SIGTERM or SIGINT, then stop in order and return.

    The port is open at once, so that health tells what is waited for; `on_start` (connect, load, spawn) runs beside it
    and `health.started` is set when it is through. If it raises, the process stops: SystemExit(1).
    On a signal `health.draining` is set; after `drain` (for load balancers to notice) nothing new is accepted, requests
    are finished for `stop_within` at most, `on_start` is cancelled if it still runs, and `on_stop` is awaited, for
    `stop_within` at most again. A second signal cuts `drain` short.

    `trusted_proxies`: addresses and networks whose `X-Forwarded-For` says who the client is; by default nobody's.
    """
    config = uvicorn.Config(
        app,
        host=host,
        port=port,
        loop="uvloop",
        http="httptools",
        log_config=None,
        access_log=False,
        server_header=False,
        forwarded_allow_ips=list(trusted_proxies),  # not left out: uvicorn would trust whoever is on this machine
        timeout_graceful_shutdown=int(stop_within.total_seconds()),
    )
    server = _Server(config)
    starting = asyncio.create_task(_start(on_start, health, server), name="on_start")
    beating = asyncio.create_task(_beat(health), name="heartbeat")
    with _signals(lambda: server.stop_after(drain, health)):
        try:
            await server.serve()
        finally:
            health.draining = True
            started_well = await _ended(starting)
            await _stopped(on_stop, stop_within)
            await _ended(beating)
    _log.info("stopped")
    if not started_well:
        raise SystemExit(_FAILED)


class _Server(uvicorn.Server):
    """uvicorn without its own signal handling, which would kill the process by the same signal at the end."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield

    def stop_after(self, drain: timedelta, health: Health) -> None:
        if health.draining:
            self.should_exit = True  # the second signal does not wait
            return
        health.draining = True
        _log.info("stopping", drain_s=drain.total_seconds())
        if drain:
            asyncio.get_running_loop().call_later(drain.total_seconds(), self.stop_now)
        else:
            self.stop_now()

    def stop_now(self) -> None:
        self.should_exit = True


async def _start(on_start: Callable[[], Awaitable[None]] | None, health: Health, server: _Server) -> None:
    try:
        if on_start is not None:
            await on_start()
        health.started = True
        _log.info("started")
    except Exception:
        _log.exception("cannot start")
        server.stop_now()
        raise


async def _ended(task: asyncio.Task[None]) -> bool:
    """Cancel `task` if it runs, and tell whether it ended without an error of its own."""
    task.cancel()
    await asyncio.wait([task])
    return task.cancelled() or task.exception() is None


async def _stopped(on_stop: Callable[[], Awaitable[None]], within: timedelta) -> None:
    try:
        async with asyncio.timeout(within.total_seconds()):
            await on_stop()
    except TimeoutError:
        _log.exception("stopping took too long, the rest is left to the system", within_s=within.total_seconds())


async def _beat(health: Health) -> None:
    while True:
        health.beat()
        await asyncio.sleep(BEAT_EVERY_S)


@contextlib.contextmanager
def _signals(handler: Callable[[], None]) -> Iterator[None]:
    loop = asyncio.get_running_loop()
    handled = (signal.SIGTERM, signal.SIGINT)
    for number in handled:
        loop.add_signal_handler(number, handler)
    try:
        yield
    finally:
        for number in handled:
            loop.remove_signal_handler(number)


def run(main: Coroutine[object, object, None]) -> None:
    """Run a service's main coroutine on uvloop. An exception that leaves it is logged (masked) and ends with code 1."""
    sys.excepthook = _log_uncaught
    try:
        uvloop.run(main)
    except KeyboardInterrupt:
        raise SystemExit(128 + signal.SIGINT) from None
    except Exception:  # noqa: BLE001 - the interpreter's own traceback would show phones
        _log.exception("crashed")
        raise SystemExit(_FAILED) from None


def run_command(
    service: str, main: Coroutine[object, object, None], explain: Callable[[Exception], str | None]
) -> None:
    """Run a command that somebody started by hand, as `run` does.

    An exception for which `explain` has words is no crash: they go to standard error, and the code is 2.
    """

    async def explained_main() -> None:
        try:
            await main
        except Exception as error:
            if (told := explain(error)) is None:
                raise
            sys.stderr.write(f"{service}: {redact_phones(told)}\n")
            raise SystemExit(_UNUSABLE) from None

    run(explained_main())


def _log_uncaught(kind: type[BaseException], error: BaseException, _: TracebackType | None) -> None:
    _log.critical("crashed", error_type=kind.__name__, exc_info=error)


def _reason(error: Exception) -> str:
    text = str(error)
    return f"{type(error).__name__}: {text}" if text else type(error).__name__
