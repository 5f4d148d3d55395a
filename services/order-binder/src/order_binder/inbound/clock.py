"""What time drives: the sweeper, and the word on how far the input is."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from datetime import timedelta

from aiokafka.errors import KafkaError

from fareline_chassis.clock import Clock
from fareline_chassis.kafka.delivery import PartitionProgress
from fareline_chassis.kafka.topics import TopicUnavailable
from fareline_chassis.logs import get_logger
from order_binder.inbound.metrics import BinderMetrics
from order_binder.ports.progress import InputProgress
from order_binder.usecases.follow_input import NEVER, FollowInput
from order_binder.usecases.sweep_windows import SweepWindows
from order_binder.usecases.vacate_numbers import VacateNumbers

INPUT_EVERY = timedelta(seconds=1)
COUNT_EVERY = timedelta(seconds=30)
log = get_logger(__name__)


async def sweep_forever(sweep: SweepWindows, vacate: VacateNumbers, metrics: BinderMetrics, every: timedelta) -> None:
    """Sweep now and then every `every`; an error ends it, the supervisor begins it anew."""
    while True:
        report = await sweep()
        metrics.sweeps.inc(report.changed)
        if report.changed or report.purged:
            log.info("orders.swept", changed=report.changed, purged=report.purged)
        left = await vacate()
        metrics.moved.inc(left.moved)
        if left.moved or left.stuck or left.withdrawn:
            log.info("numbers.vacated", moved=left.moved, stuck=left.stuck, withdrawn=left.withdrawn)
        await asyncio.sleep(every.total_seconds())


class InputWatch:
    """Writes once a second that a partition with nothing left to process is processed up to now.

    `progress` tells of the partitions that this process has, `count` how many there are in all: others see to the rest,
    and where nobody does, the record of the input stands still and shows it.
    """

    def __init__(
        self,
        progress: Callable[[], Awaitable[Mapping[int, PartitionProgress]]],
        count: Callable[[], Awaitable[int]],
        follow: FollowInput,
        metrics: BinderMetrics,
        clock: Clock,
    ) -> None:
        self._progress = progress
        self._count = count
        self._follow = follow
        self._metrics = metrics
        self._clock = clock
        self._counted_at = NEVER

    async def run(self) -> None:
        """Watch until cancelled. While Kafka does not answer nothing is written: then nobody knows."""
        while True:
            try:
                await self.step()
            except (KafkaError, TopicUnavailable, TimeoutError) as error:
                log.warning("input.unknown", error=type(error).__name__)
            await asyncio.sleep(INPUT_EVERY.total_seconds())

    async def step(self) -> None:
        """Look once."""
        asked_at = self._clock()
        if asked_at - self._counted_at >= COUNT_EVERY:
            # A partition added since was empty when last counted, so that nothing in it is older.
            await self._follow.expect(await self._count(), self._counted_at)
            self._counted_at = asked_at
        found = await self._progress()
        self._metrics.input_lag.set(sum(max(0, part.end - part.position) for part in found.values()))
        caught_up = [InputProgress(index, asked_at, part.end) for index, part in found.items() if part.caught_up]
        if caught_up:
            await self._follow.note(caught_up)
