"""order-binder with failpoints: a process that kills or freezes itself at one named moment, or dawdles before commits.

Named `<part>.<method>.before` and `.after`; besides these `commit.before`, `commit.after` and `offsets.before`. A batch
of events has no commit of its own: `unit.save` is one. Nothing of this is in the service: its composition root lets a
test stand between the parts (order_binder.seams).
"""

import asyncio
import inspect
import os
import random
import signal
import sys
from contextlib import asynccontextmanager
from pathlib import Path

from fareline_chassis.logs import configure_logging
from fareline_contracts.topics import BINDINGS
from order_binder.app import OrderBinder
from order_binder.outbound.publication import BindingSource
from order_binder.settings import Settings

CONSUMING = (
    "unit.look.before",
    "unit.look.after",
    "unit.held.before",
    "unit.held.after",
    "unit.save.before",
    "unit.save.after",
    "letters.send.before",
    "letters.send.after",
    "offsets.before",
)
PUBLISHING = (
    "leases.acquire.before",
    "leases.acquire.after",
    "source.now.before",
    "source.unpublished.before",
    "source.unpublished.after",
    "sender.send.before",
    "sender.send.after",
    "source.mark.before",
    "source.mark.after",
)


class Failpoint:
    """Does `deed`, a signal to the own process, when `name` is reached for the `nth` time; never again."""

    def __init__(self, name: str | None, deed: int | None, *, nth: int, delay_s: float) -> None:
        self._name, self._deed, self._left, self._delay_s = name, deed, nth, delay_s
        self._random = random.Random(os.getpid())

    async def reached(self, name: str) -> None:
        """Stand at a moment called `name`."""
        if name in ("unit.save.before", "commit.before") and self._delay_s:
            await asyncio.sleep(self._random.random() * self._delay_s)
        if name == self._name:
            self._left -= 1
            if self._left == 0:
                os.kill(os.getpid(), self._deed)

    def around(self, name, part):
        """Stand around a part; of the publications, around that of bindings alone."""
        if name == "batch":
            return self._batch(part)
        if name == "store":
            return Store(part, self)
        if name == "source" and not isinstance(part, BindingSource):
            return part
        return Guarded(part, name, self)

    def _batch(self, handler):
        async def handled(records):
            await handler(records)
            await self.reached("offsets.before")

        return handled


class Guarded:
    """A part whose every awaited method is a pair of failpoints."""

    def __init__(self, part, name: str, failpoint: Failpoint) -> None:
        self._part, self._name, self._failpoint = part, name, failpoint

    def __getattr__(self, method: str):
        real = getattr(self._part, method)
        if not inspect.iscoroutinefunction(real):
            return real

        async def guarded(*arguments, **options):
            place = f"{self._name}.{method}"
            if not self._interesting(arguments):
                return await real(*arguments, **options)
            await self._failpoint.reached(f"{place}.before")
            result = await real(*arguments, **options)
            await self._failpoint.reached(f"{place}.after")
            return result

        return guarded

    def _interesting(self, arguments) -> bool:
        """Of what is sent, only bindings: the producer is one for all, and heartbeats are always there."""
        if self._name != "sender":
            return True
        first = arguments[0][0] if arguments[0] else None
        return first is not None and first.topic == BINDINGS.name and not first.key.startswith(b"_hb/")


class Store:
    """Units whose every step is a failpoint, and commits likewise."""

    def __init__(self, store, failpoint: Failpoint) -> None:
        self._store, self._failpoint = store, failpoint

    @asynccontextmanager
    async def transaction(self):
        async with self._store.transaction() as unit:
            yield Guarded(unit, "unit", self._failpoint)
            await self._failpoint.reached("commit.before")
        await self._failpoint.reached("commit.after")

    @asynccontextmanager
    async def optimistic(self):
        async with self._store.optimistic() as unit:
            yield Guarded(unit, "unit", self._failpoint)


async def _work(settings: Settings, failpoint: Failpoint) -> None:
    binder = OrderBinder(settings, around=failpoint.around)
    told = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, told.set)
    await binder.start()
    await told.wait()
    await binder.stop()


def binder_process(environment: dict, log: str, point: str | None, deed: int | None, nth: int, delay_s: float) -> None:
    """Run one process, without HTTP; for multiprocessing. `deed` is what happens at `point`."""
    with Path(log).open("a") as out:
        os.dup2(out.fileno(), 1)
        os.dup2(out.fileno(), 2)
        sys.stdout = sys.stderr = os.fdopen(1, "w", buffering=1, closefd=False)
        os.environ.update(environment)
        configure_logging("order-binder", "INFO")
        asyncio.run(_work(Settings(), Failpoint(point, deed, nth=nth, delay_s=delay_s)))
