"""Keep the replica alive: load it once Kafka is there, follow the news, drop what has ended."""

import asyncio
import gc
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime, timedelta
from typing import Protocol

from call_router.inbound.kafka import ReplicaFeed
from fareline_chassis.health import HealthComponent
from fareline_chassis.kafka.assigned import AssignedReader
from fareline_chassis.logs import get_logger
from fareline_contracts.topics import BINDINGS, NUMBERS, TENANTS

_LOOK_EVERY = timedelta(seconds=1)
_SWEPT_AT_ONCE = 500
_log = get_logger(__name__)


class Filling(Protocol):
    """Who must know when the replica is filled, and how many partitions are to be heard."""

    filled: asyncio.Event

    def expect(self, partitions: int) -> None:
        """Say how many partitions the bindings topic has."""
        ...

    @property
    def cut_off(self) -> bool:
        """Whether any partition has been silent for too long."""
        ...


class Ending(Protocol):
    """Bindings that drop out by themselves."""

    def drop_ended(self, now: datetime, most: int) -> int:
        """Drop up to `most` bindings that are over for good."""
        ...


class ReplicaTasks:
    """Two readers, for numbers and tenants are loaded before the bindings that name them."""

    def __init__(
        self,
        *,
        reader: Callable[[Sequence[str]], AssignedReader],
        feed: ReplicaFeed,
        filling: Filling,
        ending: Ending,
        clock: Callable[[], datetime],
        component: HealthComponent,
    ) -> None:
        """Set up; `reader` makes a reader of some topics, anew each time that one is needed."""
        self._reader = reader
        self._feed = feed
        self._filling = filling
        self._ending = ending
        self._clock = clock
        self._component = component

    def jobs(self) -> dict[str, Callable[[], Awaitable[None]]]:
        """Return what is to run in the background, by name."""
        return {"replica feed": self.feed, "replica watch": self.watch, "replica sweep": self.sweep}

    async def feed(self) -> None:
        """Load and follow until cancelled. An error ends it; started again it loads anew, and no key goes back."""
        inventory, bindings = self._reader([NUMBERS.name, TENANTS.name]), self._reader([BINDINGS.name])
        try:
            await inventory.start(self._component)
            await self._load(inventory)
            await bindings.start(self._component)
            self._filling.expect(len(bindings.ends))
            await self._load(bindings)
            self._settle()
            async with asyncio.TaskGroup() as group:
                group.create_task(self._follow(inventory))
                group.create_task(self._follow(bindings))
        finally:
            await bindings.stop()
            await inventory.stop()

    async def sweep(self) -> None:
        """Drop ended bindings, a few at a time, until cancelled."""
        while True:
            await asyncio.sleep(_LOOK_EVERY.total_seconds())
            dropped = _SWEPT_AT_ONCE
            while dropped == _SWEPT_AT_ONCE:
                dropped = self._ending.drop_ended(self._clock(), _SWEPT_AT_ONCE)
                await asyncio.sleep(0)  # calls are answered in between

    async def watch(self) -> None:
        """Say in health, until cancelled, whether news still reaches the replica."""
        await self._filling.filled.wait()
        while True:
            if self._filling.cut_off:
                self._component.failed("cut off: no heartbeat of every partition for 5 s, answers may be out of date")
            else:
                self._component.ok("filled and following")
            await asyncio.sleep(_LOOK_EVERY.total_seconds())

    async def _load(self, reader: AssignedReader) -> None:
        async for batch in reader.load():
            await self._feed.take(batch)

    async def _follow(self, reader: AssignedReader) -> None:
        async for batch in reader.tail():
            await self._feed.take(batch)

    def _settle(self) -> None:
        """Say that the replica is filled, and spare the garbage collector what stays anyway."""
        self._filling.filled.set()
        gc.collect()
        gc.freeze()
        self._component.ok("filled")
        _log.info("replica filled")
