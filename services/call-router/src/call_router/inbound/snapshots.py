"""Keep what the router knows on disk: read once at the start, written every few minutes and at the end."""

import asyncio
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Protocol

from call_router.inbound.observing import Observer
from call_router.ports import SnapshotUnusable
from call_router.records.topics_read import TopicsRead
from fareline_chassis.logs import get_logger

_FIRST_AFTER = timedelta(seconds=5)
_LAST_WITHIN = timedelta(seconds=8)
_log = get_logger(__name__)


class Head(Protocol):
    """What a snapshot says of itself."""

    @property
    def read(self) -> TopicsRead:
        """How far the topics had been read."""
        ...

    @property
    def input_as_of(self) -> dict[int, datetime]:
        """How old the data was, by partition."""
        ...


class SnapshotFile(Protocol):
    """A snapshot on disk."""

    async def write(self, read: TopicsRead, input_as_of: dict[int, datetime], now: datetime) -> int:
        """Write a new one in place of the old; returns its size, raises OSError."""
        ...

    async def restore(self) -> Head:
        """Take everything into the store; raises SnapshotUnusable."""
        ...


class Reading(Protocol):
    """A task that reads topics, and can go on from where an earlier process was."""

    def go_on_from(self, read: TopicsRead) -> None:
        """Say how far was read before."""
        ...

    def read_so_far(self) -> TopicsRead | None:
        """Return how far has been read."""
        ...


class Age(Protocol):
    """Who says how old the data is."""

    @property
    def input_as_of(self) -> Mapping[int, datetime]:
        """How far the taxi platform's events were processed, by partition."""
        ...

    def restored(self, input_as_of: Mapping[int, datetime]) -> None:
        """Hear that the data is that of a snapshot."""
        ...


class Snapshots:
    """The snapshot's times. `replica` and `calls` are the tasks whose reading it holds."""

    def __init__(
        self,
        file: SnapshotFile,
        *,
        replica: Reading,
        calls: Reading,
        age: Age,
        every: timedelta,
        clock: Callable[[], datetime],
        observer: Observer,
    ) -> None:
        self._file = file
        self._replica = replica
        self._calls = calls
        self._age = age
        self._every = every
        self._clock = clock
        self._observer = observer
        self._written_at: datetime | None = None

    async def restore(self) -> bool:
        """Take the snapshot in, if there is a good one; returns whether there was."""
        try:
            head = await self._file.restore()
        except SnapshotUnusable as why:
            _log.warning("no snapshot to start with", why=str(why))
            return False
        except Exception as error:  # noqa: BLE001 - whatever lies on the disk must not keep a router from starting
            self._observer.trouble("snapshot", error)
            return False
        self._replica.go_on_from(head.read)
        self._calls.go_on_from(head.read)
        self._age.restored(head.input_as_of)
        _log.info("snapshot restored", age_s=round((self._clock() - head.read.at).total_seconds()))
        return True

    async def keep(self) -> None:
        """Write one from time to time, until cancelled; the first soon after the replica has been filled."""
        while True:
            await asyncio.sleep((_FIRST_AFTER if self._written_at is None else self._every).total_seconds())
            await self.write()

    async def write_last(self) -> None:
        """Write one at the end, when nothing changes any more; within a bounded time."""
        try:
            async with asyncio.timeout(_LAST_WITHIN.total_seconds()):
                await self.write()
        except TimeoutError as error:
            self._observer.trouble("snapshot", error)

    async def write(self) -> None:
        """Write one, unless the replica was never filled; trouble with the disk leaves the old one."""
        replica, calls = self._replica.read_so_far(), self._calls.read_so_far()
        if replica is None:
            return
        read = replica if calls is None else _together(replica, calls)
        try:
            size = await self._file.write(read, dict(self._age.input_as_of), self._clock())
        except OSError as error:
            self._observer.trouble("snapshot", error)
            return
        self._written_at = self._clock()
        _log.info("snapshot written", bytes=size)

    def readings(self) -> dict[str, tuple[str, Callable[[], float]]]:
        """Return what is worth a gauge: name, text and function. NaN while none was written."""

        def age() -> float:
            return float("nan") if self._written_at is None else (self._clock() - self._written_at).total_seconds()

        return {"snapshot_age_seconds": ("Age of the last snapshot that this process wrote.", age)}


def _together(replica: TopicsRead, calls: TopicsRead) -> TopicsRead:
    return TopicsRead(replica.topic_ids | calls.topic_ids, replica.offsets | calls.offsets, replica.at)
