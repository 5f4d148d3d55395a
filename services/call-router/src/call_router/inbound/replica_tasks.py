"""Keep the replica alive: load it once Kafka is there, follow the news, drop what has ended."""

import asyncio
import gc
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Protocol

from call_router.inbound.kafka import ReplicaFeed
from fareline_chassis.health import HealthComponent
from fareline_chassis.kafka.assigned import AssignedReader
from fareline_chassis.logs import get_logger
from fareline_contracts.topics import BINDINGS

_SWEEP_EVERY = timedelta(seconds=1)
_SWEPT_AT_ONCE = 500
_log = get_logger(__name__)


class Filling(Protocol):
    """Who must know when the replica is filled, and how many partitions are to be heard."""

    filled: asyncio.Event

    def expect(self, partitions: int) -> None:
        """Say how many partitions the bindings topic has."""
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
        inventory: Callable[[], AssignedReader],
        bindings: Callable[[], AssignedReader],
        feed: ReplicaFeed,
        filling: Filling,
        component: HealthComponent,
    ) -> None:
        """Readers are made anew each time that they are needed."""
        self._inventory = inventory
        self._bindings = bindings
        self._feed = feed
        self._filling = filling
        self._component = component

    async def run(self) -> None:
        """Load and follow until cancelled. An error ends it; started again it loads anew, and no key goes back."""
        inventory, bindings = self._inventory(), self._bindings()
        try:
            await inventory.start(self._component)
            await self._load(inventory)
            await bindings.start(self._component)
            self._filling.expect(sum(1 for topic, _ in bindings.ends if topic == BINDINGS.name))
            await self._load(bindings)
            self._settle()
            async with asyncio.TaskGroup() as group:
                group.create_task(self._follow(inventory))
                group.create_task(self._follow(bindings))
        finally:
            await bindings.stop()
            await inventory.stop()

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


async def sweep(ending: Ending, clock: Callable[[], datetime]) -> None:
    """Drop ended bindings, a few at a time, until cancelled."""
    while True:
        await asyncio.sleep(_SWEEP_EVERY.total_seconds())
        dropped = _SWEPT_AT_ONCE
        while dropped == _SWEPT_AT_ONCE:
            dropped = ending.drop_ended(clock(), _SWEPT_AT_ONCE)
            await asyncio.sleep(0)  # calls are answered in between
