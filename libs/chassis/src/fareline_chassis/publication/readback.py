"""Reading back what stands in the topic, to find a late record of a lower revision before compaction keeps it."""

from collections import defaultdict
from collections.abc import Callable, Sequence

from fareline_chassis.health import HealthComponent
from fareline_chassis.kafka.assigned import AssignedReader
from fareline_chassis.kafka.records import InRecord
from fareline_chassis.logs import get_logger
from fareline_chassis.publication.revisions import HIGHEST
from fareline_chassis.publication.rules import LastRecords
from fareline_chassis.publication.source import RevisionOf

log = get_logger(__name__)


class ReadBack:
    """Follows all partitions of the published topic, whoever publishes them, so a takeover knows what is stale."""

    def __init__(
        self,
        reader: Callable[[], AssignedReader],
        *,
        revision_of: RevisionOf,
        component: HealthComponent,
        found: Callable[[int], None],
    ) -> None:
        """`reader` makes a new reader of that one topic; `found` is told a partition with a new stale key."""
        self._reader = reader
        self._revision_of = revision_of
        self._component = component
        self._found = found
        self._partitions: defaultdict[int, LastRecords] = defaultdict(LastRecords)

    def of(self, partition: int) -> LastRecords:
        """Return what is known of `partition`; its stale keys are for the publisher to repair."""
        return self._partitions[partition]

    async def run(self) -> None:
        """Read from the beginning, then follow; ends only by cancellation or an error."""
        reader = self._reader()
        for known in self._partitions.values():
            known.forget()
        await reader.start(self._component)
        try:
            async for batch in reader.load():
                self.take(batch)
            self._component.ok()
            async for batch in reader.tail():
                self.take(batch)
        finally:
            await reader.stop()

    def take(self, batch: Sequence[InRecord]) -> None:
        """Note records in the order of their partitions."""
        for record in batch:
            if (known := self._identify(record)) is None:
                continue
            key, revision = known
            if self._partitions[record.partition].observe(key, revision, tombstone=record.value is None):
                log.warning("publication.stale_record", partition=record.partition, offset=record.offset)
                self._found(record.partition)

    def _identify(self, record: InRecord) -> tuple[bytes, int] | None:
        try:
            return _checked(self._revision_of(record))
        except Exception as error:  # noqa: BLE001 - a record of somebody else must not end the read-back
            log.warning("publication.unknown_record", offset=record.offset, error=type(error).__name__)
            return None


def _checked(known: tuple[bytes, int] | None) -> tuple[bytes, int] | None:
    # One beyond all others would make every record after it look stale.
    if known is not None and not 0 <= known[1] <= HIGHEST:
        raise ValueError("no revision")
    return known
