"""The three publications of order-binder, made for one process."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from fareline_chassis.health import Health
from fareline_chassis.kafka.assigned import AssignedReader
from fareline_chassis.kafka.cluster import KafkaCluster
from fareline_chassis.kafka.producer import Producer
from fareline_chassis.kafka.topics import partitions_of
from fareline_chassis.postgres.pool import Database
from fareline_chassis.publication.leases import PostgresLeaseStore
from fareline_chassis.publication.publication import Publication
from fareline_chassis.publication.source import Heartbeat, RevisionSource
from fareline_contracts.topics import BINDINGS, NUMBERS, TAXI_ORDERS, TENANTS, Topic
from order_binder.outbound.publication import BindingHeartbeats, BindingSource, number_source, tenant_source
from order_binder.outbound.published_records import revision_of
from order_binder.seams import Around, untouched

TOPICS = (TAXI_ORDERS, BINDINGS, NUMBERS, TENANTS)
_LEASES = "order_binder.publication_lease"


@dataclass(frozen=True, slots=True)
class Publishing:
    """Makes publications. `holder` is unique for each start of a process."""

    cluster: KafkaCluster
    topic_prefix: str
    database: Database
    producer: Producer
    health: Health
    holder: str
    published: Callable[[float], None]
    unpublishable: Callable[[], None]
    around: Around = untouched

    def publications(self, partitions: Mapping[str, int]) -> dict[str, Publication]:
        """Return the publications by topic; `partitions` says how many each of TOPICS has."""
        beats = BindingHeartbeats(self.database)
        bindings = BindingSource(
            self.database, partitions[BINDINGS.name], published=self.published, unpublishable=self.unpublishable
        )
        sources: list[tuple[Topic, RevisionSource, Heartbeat | None]] = [
            (TENANTS, tenant_source(self.database, partitions[TENANTS.name]), None),
            (NUMBERS, number_source(self.database, partitions[NUMBERS.name]), None),
            (BINDINGS, bindings, beats),
        ]
        return {
            topic.name: self._publication(topic, partitions[topic.name], source, heartbeat)
            for topic, source, heartbeat in sources
        }

    async def count_input(self) -> int:
        """Return how many partitions the order topic has now; the platform may add some. Raises as below."""
        return (await self.count_partitions())[TAXI_ORDERS.name]

    async def count_partitions(self) -> dict[str, int]:
        """Return how many partitions each of TOPICS has. Raises TopicUnavailable, KafkaError."""
        counts = await partitions_of(self.cluster, [self.topic_prefix + topic.name for topic in TOPICS])
        return {name.removeprefix(self.topic_prefix): count for name, count in counts.items()}

    def _reader(self, topic: Topic) -> AssignedReader:
        return AssignedReader(
            self.cluster, [topic.name], client_id=f"{self.holder}-read-back", topic_prefix=self.topic_prefix
        )

    def _publication(
        self, topic: Topic, partitions: int, source: RevisionSource, heartbeat: Heartbeat | None
    ) -> Publication:
        return Publication(
            topic=topic.name,
            partitions=partitions,
            holder=self.holder,
            source=self.around("source", source),
            sender=self.around("sender", self.producer),
            leases=self.around("leases", PostgresLeaseStore(self.database, _LEASES)),
            reader=lambda: self._reader(topic),
            revision_of=revision_of,
            health=self.health,
            heartbeat=heartbeat,
        )
