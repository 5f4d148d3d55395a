"""Everything of one process that reaches outwards: its database, and what it sends to Kafka."""

from fareline_chassis.clock import utc_now
from fareline_chassis.health import Health
from fareline_chassis.kafka.dlq import MAX_LETTER_BYTES
from fareline_chassis.kafka.producer import Producer
from order_binder.outbound.bindings import PostgresBindings
from order_binder.outbound.order_topic import KafkaOrderSink
from order_binder.outbound.reading import PostgresReader
from order_binder.outbound.registry import PostgresRegistry
from order_binder.outbound.schema import Schema
from order_binder.outbound.session import order_database
from order_binder.ports.bindings import BindingStore
from order_binder.seams import Around
from order_binder.settings import Settings


class Edges:
    """Made from the settings, connected to nothing. `around` lets a test stand before the store."""

    def __init__(self, settings: Settings, health: Health, *, service: str, around: Around) -> None:
        self.dsn = settings.dsn
        self.schema = Schema(self.dsn)
        self.database = order_database(
            self.dsn,
            settings.database_pool_min,
            settings.database_pool_max,
            health.component("postgres"),
            name=service,
        )
        bindings = PostgresBindings(self.database)
        self.estimates = bindings.estimates
        self.store: BindingStore = around("store", bindings)
        self.registry = PostgresRegistry(self.database)
        self.reader = PostgresReader(self.database)

        kafka, prefix = settings.kafka, settings.kafka_topic_prefix
        self.producer = Producer(kafka, client_id=service, topic_prefix=prefix)
        self.letters = Producer(kafka, client_id=service, topic_prefix=prefix, max_request_bytes=MAX_LETTER_BYTES)
        self.orders = KafkaOrderSink(self.producer, utc_now)

    async def close(self) -> None:
        """Flush what is being sent and close every connection, in bounded time."""
        await self.producer.stop()
        await self.letters.stop()
        await self.database.close()
