"""Publication of one topic by one process: leases, a publisher for each partition, and the read-back."""

import asyncio
from collections.abc import Callable
from datetime import timedelta

from fareline_chassis.backoff import Backoff
from fareline_chassis.health import Health
from fareline_chassis.kafka.assigned import AssignedReader
from fareline_chassis.logs import get_logger
from fareline_chassis.publication.keeper import LeaseKeeper
from fareline_chassis.publication.leases import LeaseStore
from fareline_chassis.publication.publisher import Figures, PartitionPublisher, Sender
from fareline_chassis.publication.readback import ReadBack
from fareline_chassis.publication.source import Heartbeat, RevisionOf, RevisionSource

log = get_logger(__name__)


class Publication:
    """Publishes `topic` together with other instances of the service, each partition by one of them at a time.

    `reader` makes a reader of that topic alone (for the read-back), `holder` is unique for each start of a process.
    Health components: `publication:<topic>` (leases) and `read-back:<topic>` (not required).
    """

    def __init__(
        self,
        *,
        topic: str,
        partitions: int,
        holder: str,
        source: RevisionSource,
        sender: Sender,
        leases: LeaseStore,
        reader: Callable[[], AssignedReader],
        revision_of: RevisionOf,
        health: Health,
        heartbeat: Heartbeat | None = None,
        figures: Figures | None = None,
    ) -> None:
        """Nothing happens before `run`."""
        self._topic = topic
        self._keeper = LeaseKeeper(
            leases,
            topic=topic,
            partitions=range(partitions),
            holder=holder,
            component=health.component(f"publication:{topic}"),
        )
        self._reading = health.component(f"read-back:{topic}", required=False)
        self._read_back = ReadBack(reader, revision_of=revision_of, component=self._reading, found=self.wake)

        def publisher(partition: int) -> PartitionPublisher:
            return PartitionPublisher(
                partition,
                topic=topic,
                source=source,
                sender=sender,
                lease=lambda: self._keeper.lease(partition),
                last_records=self._read_back.of(partition),
                heartbeat=heartbeat,
                figures=figures,
            )

        self._publishers = [publisher(partition) for partition in range(partitions)]

    def wake(self, partition: int | None = None) -> None:
        """Look for unpublished rows now: in one partition, or in all. Call it on NOTIFY or after a commit."""
        for index, publisher in enumerate(self._publishers):
            if partition is None or partition == index:
                publisher.wake()

    async def run(self) -> None:
        """Publish until cancelled; then hand the leases over."""
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._keeper.run())
                tasks.create_task(self._keep_reading_back())
                for publisher in self._publishers:
                    tasks.create_task(publisher.run())
        finally:
            await self._keeper.release()

    async def _keep_reading_back(self) -> None:
        backoff = Backoff(timedelta(seconds=1), timedelta(seconds=30))
        while True:
            try:
                await self._read_back.run()
            except Exception as error:  # noqa: BLE001 - publishing goes on without it, and it begins anew
                self._reading.failed(type(error).__name__)
                log.warning("publication.read_back_failed", topic=self._topic, error=type(error).__name__)
            await asyncio.sleep(backoff.next())
