"""Keep the replica alive: fill it once Kafka is there, follow the news, drop what has ended."""

import asyncio
import gc
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Protocol

from call_router.inbound.kafka import FedReplica, ReplicaFeed
from call_router.inbound.readers import MakeReader, TopicIds
from call_router.records.topics_read import TopicsRead
from fareline_chassis.health import HealthComponent
from fareline_chassis.kafka.assigned import AssignedReader
from fareline_chassis.kafka.records import InRecord
from fareline_chassis.lifecycle import wait_for
from fareline_chassis.logs import get_logger
from fareline_contracts.topics import BINDINGS, NUMBERS, TENANTS

_LOOK_EVERY = timedelta(seconds=1)
_SWEPT_AT_ONCE = 500
_FROZEN_EVERY = 20
_TOPICS = (NUMBERS.name, TENANTS.name, BINDINGS.name)
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

    @property
    def stale(self) -> bool:
        """Whether answers go by a snapshot that has not been brought up to date yet."""
        ...


class Store(Protocol):
    """What is filled: contents that serve, and others that are loaded beside them and replace them."""

    def beside(self) -> FedReplica:
        """Return empty contents, to be loaded while the old ones serve."""
        ...

    def serve_loaded(self) -> None:
        """Let decisions go by what was loaded beside."""
        ...

    def drop_ended(self, now: datetime, most: int) -> int:
        """Drop up to `most` bindings that are over for good; returns how many."""
        ...


class ReplicaTasks:
    """Two readers, for numbers and tenants are loaded before the bindings that name them.

    What was read before (by a snapshot, or before an error) is gone on with where the topics are still the same;
    otherwise it serves on, while everything is loaded beside it.
    """

    def __init__(
        self,
        *,
        reader: MakeReader,
        topic_ids: TopicIds,
        feed: ReplicaFeed,
        store: Store,
        filling: Filling,
        clock: Callable[[], datetime],
        component: HealthComponent,
    ) -> None:
        """Set up; `reader` makes a reader of some topics, anew each time that one is needed."""
        self._reader = reader
        self._topic_ids = topic_ids
        self._feed = feed
        self._store = store
        self._filling = filling
        self._clock = clock
        self._component = component
        self._read: TopicsRead | None = None
        self._followed: tuple[Mapping[str, str], AssignedReader] | None = None

    def jobs(self) -> dict[str, Callable[[], Awaitable[None]]]:
        """Return what is to run in the background, by name."""
        return {"replica feed": self.feed, "replica watch": self.watch, "replica sweep": self.sweep}

    def go_on_from(self, read: TopicsRead) -> None:
        """Say how far what is there already was read. Before `feed`."""
        self._read = read.only(*_TOPICS)

    def read_so_far(self) -> TopicsRead | None:
        """Return how far what serves now was read, None while that is not even one whole load."""
        if self._followed is None:
            return self._read
        ids, bindings = self._followed
        offsets = {topic: dict(places) for topic, places in self._feed.offsets.items()}
        silent = timedelta(seconds=min(bindings.silence(), timedelta(days=365).total_seconds()))
        return TopicsRead(dict(ids), offsets, self._clock() - silent)

    async def feed(self) -> None:
        """Load and follow until cancelled. An error ends it; started again it goes on, and no key goes back."""
        ids = await wait_for("kafka", self._ids, component=self._component)
        goes_on = self._read is not None and all(self._read.continues(topic, ids, self._clock()) for topic in _TOPICS)
        begin = self._read.places(*_TOPICS) if goes_on and self._read is not None else {}
        inventory = self._reader([NUMBERS.name, TENANTS.name], resume_at=begin)
        bindings = self._reader([BINDINGS.name], resume_at=begin)
        try:
            await inventory.start(self._component)
            await bindings.start(self._component)
            self._filling.expect(len(bindings.ends))
            if goes_on or self._read is None:
                await self._go_on(inventory, bindings)
            else:
                await self._replace(inventory, bindings)
            self._followed = (ids, bindings)
            self._settle()
            async with asyncio.TaskGroup() as group:
                group.create_task(_take_all(self._feed, inventory.tail()))
                group.create_task(_take_all(self._feed, bindings.tail()))
        finally:
            self._read, self._followed = self.read_so_far(), None
            await bindings.stop()
            await inventory.stop()

    async def sweep(self) -> None:
        """Drop ended bindings, a few at a time, until cancelled."""
        while True:
            await asyncio.sleep(_LOOK_EVERY.total_seconds())
            dropped = _SWEPT_AT_ONCE
            while dropped == _SWEPT_AT_ONCE:
                dropped = self._store.drop_ended(self._clock(), _SWEPT_AT_ONCE)
                await asyncio.sleep(0)  # calls are answered in between

    async def watch(self) -> None:
        """Say in health, until cancelled, whether news still reaches the replica."""
        while True:
            if self._filling.stale:
                self._component.failed("stale: answers go by a snapshot until Kafka's news has been read")
            elif self._filling.filled.is_set() and self._filling.cut_off:
                self._component.failed("cut off: no heartbeat of every partition for 5 s, answers may be out of date")
            elif self._filling.filled.is_set():
                self._component.ok("filled and following")
            await asyncio.sleep(_LOOK_EVERY.total_seconds())

    async def _ids(self) -> dict[str, str]:
        return await self._topic_ids(_TOPICS)

    async def _go_on(self, inventory: AssignedReader, bindings: AssignedReader) -> None:
        if self._read is not None:
            self._feed.offsets = {topic: dict(places) for topic, places in self._read.offsets.items()}
        await _take_all(self._feed, inventory.load())
        await _take_all(self._feed, bindings.load())

    async def _replace(self, inventory: AssignedReader, bindings: AssignedReader) -> None:
        _log.warning("the snapshot is too old or of other topics: everything is loaded beside it")
        beside = self._feed.into(self._store.beside())
        await _take_all(beside, inventory.load())
        await _take_all(beside, bindings.load())
        self._store.serve_loaded()
        self._feed.offsets = beside.offsets

    def _settle(self) -> None:
        """Say that the replica is filled, and spare the garbage collector what stays anyway."""
        self._filling.filled.set()
        gc.freeze()
        gc.collect()
        gc.freeze()
        self._component.ok("filled")
        _log.info("replica filled")


async def _take_all(feed: ReplicaFeed, batches: AsyncIterator[Sequence[InRecord]]) -> None:
    """Take everything in; what has been loaded is kept from the garbage collector early, so that it never stops us."""
    taken = 0
    async for batch in batches:
        await feed.take(batch)
        taken += 1
        if taken % _FROZEN_EVERY == 0:
            gc.freeze()
