"""The bindings topic as a list in memory, with a sender that can fail in every way in which a real one does."""

import enum

from fareline_chassis.kafka.partitioner import partition_for
from fareline_chassis.kafka.producer import DeliveryUnknown
from fareline_chassis.kafka.records import InRecord
from fareline_chassis.publication.rules import LastRecords
from order_binder.outbound.published_records import revision_of


class Fault(enum.Enum):
    """What becomes of the next send."""

    NONE = "acknowledged"
    LOST = "never written, no answer"
    UNANSWERED = "written, no answer"
    LATE = "no answer now, written later"


class MemoryTopic:
    """An append-only log, in partitions. `readers` are told of each record, as a read-back would be."""

    def __init__(self, partitions: int) -> None:
        self.partitions = partitions
        self.log: list[InRecord] = []
        self.late: list[list] = []
        self.fault = Fault.NONE
        self.readers: list[LastRecords] = [LastRecords() for _ in range(partitions)]

    async def send(self, records):
        """Append, or not, as `fault` says; it holds for one call."""
        fault, self.fault = self.fault, Fault.NONE
        if fault is Fault.LATE:
            self.late.append(records)
        elif fault is not Fault.LOST:
            self.append(records)
        if fault is not Fault.NONE:
            raise DeliveryUnknown(fault.value)
        return []

    def append(self, records) -> None:
        for out in records:
            partition = out.partition
            assert partition == partition_for(out.key, self.partitions)
            record = InRecord(out.topic, partition, len(self.log), 0, out.key, out.value, out.headers)
            self.log.append(record)
            self._read(record)

    def land(self) -> None:
        """Write whatever is still under way."""
        while self.late:
            self.append(self.late.pop(0))

    def read_again(self) -> None:
        """Begin the read-back anew, as a new process does."""
        self.readers = [LastRecords() for _ in range(self.partitions)]
        for record in self.log:
            self._read(record)

    def _read(self, record: InRecord) -> None:
        key, revision = revision_of(record)
        self.readers[record.partition].observe(key, revision, tombstone=record.value is None)

    def fold(self) -> dict[bytes, InRecord]:
        """Return the last record of each key, which is what compaction leaves."""
        return {record.key: record for record in self.log}

    def highest(self) -> dict[bytes, int]:
        """Return the highest revision of each key."""
        found: dict[bytes, int] = {}
        for record in self.log:
            key, revision = revision_of(record)
            found[key] = max(revision, found.get(key, 0))
        return found
