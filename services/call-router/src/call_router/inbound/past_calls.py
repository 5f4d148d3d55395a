"""Follow the call topic: what other routers answer, and what this one answered before it was started anew."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from datetime import datetime, timedelta

from call_router.inbound.observing import Observer
from call_router.inbound.readers import MakeReader, TopicIds
from call_router.records.bindings import Unreadable
from call_router.records.events import EventRecord
from call_router.records.past import read_past
from call_router.records.topics_read import TopicsRead
from call_router.usecases.recall import Recall
from fareline_chassis.health import HealthComponent
from fareline_chassis.kafka.records import InRecord
from fareline_chassis.lifecycle import wait_for
from fareline_contracts.topics import CALLS

LOOKS_BACK = timedelta(hours=25)
_SLICE = 100


class PastCalls:
    """Recalls the events of a day, or those since a snapshot, and goes on with what is new."""

    def __init__(
        self,
        *,
        reader: MakeReader,
        topic_ids: TopicIds,
        recall: Recall,
        observer: Observer,
        clock: Callable[[], datetime],
        component: HealthComponent,
    ) -> None:
        self._reader = reader
        self._topic_ids = topic_ids
        self._recall = recall
        self._observer = observer
        self._clock = clock
        self._component = component
        self._read: TopicsRead | None = None

    def go_on_from(self, read: TopicsRead) -> None:
        """Say how far the call topic was read before. Before `follow`."""
        self._read = read.only(CALLS.name)

    def read_so_far(self) -> TopicsRead | None:
        """Return how far the call topic has been read."""
        return self._read

    async def recall(self, waiting: Iterable[EventRecord]) -> None:
        """Take events in that an earlier process has not brought to Kafka yet, letting calls be answered in between."""
        try:
            for place, event in enumerate(waiting):
                self.take_one(event.kind, event.value)
                if place % _SLICE == 0:
                    await asyncio.sleep(0)
        except OSError as error:
            self._observer.trouble("spool", error)

    async def follow(self) -> None:
        """Recall and follow until cancelled. An error ends it; started again it goes on."""
        ids = await wait_for("kafka", self._ids, component=self._component)
        goes_on = self._read is not None and self._read.continues(CALLS.name, ids, self._clock())
        offsets = dict(self._read.offsets.get(CALLS.name, {})) if goes_on and self._read is not None else {}
        reader = self._reader(
            [CALLS.name],
            resume_at={(CALLS.name, partition): offset for partition, offset in offsets.items()},
            since_ms=int((self._clock() - LOOKS_BACK).timestamp() * 1000),
        )
        try:
            await reader.start(self._component)
            self._read = TopicsRead(ids, {CALLS.name: offsets}, self._clock())
            await self._take_all(reader.load())
            self._component.ok("following")
            await self._take_all(reader.tail())
        finally:
            await reader.stop()

    def take_one(self, kind: str, value: bytes | None) -> None:
        """Take one event in; one that cannot be read is counted and passed over."""
        try:
            past = None if value is None else read_past(kind, value)
        except Unreadable as error:
            self._observer.trouble(f"record of {CALLS.name}", error)
            return
        if past is not None:
            self._recall(past)

    async def _ids(self) -> dict[str, str]:
        return await self._topic_ids([CALLS.name])

    async def _take_all(self, batches: AsyncIterator[Sequence[InRecord]]) -> None:
        async for batch in batches:
            for start in range(0, len(batch), _SLICE):
                for record in batch[start : start + _SLICE]:
                    self.take_one((record.header("ce_type") or b"").decode("utf-8", "replace"), record.value)
                await asyncio.sleep(0)  # calls are answered in between
            self._note(batch)

    def _note(self, batch: Sequence[InRecord]) -> None:
        if self._read is None:
            return
        places = self._read.offsets[CALLS.name] | {record.partition: record.offset + 1 for record in batch}
        self._read = TopicsRead(self._read.topic_ids, {CALLS.name: places}, self._clock())
