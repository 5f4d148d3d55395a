"""The taxi platform of the story: it publishes whole order snapshots, as any platform on Kafka would."""

import secrets
from dataclasses import dataclass
from datetime import UTC, datetime
from time import perf_counter

from aiokafka import AIOKafkaProducer

from fareline_contracts.cloudevents import EventHead, to_headers
from fareline_contracts.orders import ORDER_TYPE, OrderSnapshot
from fareline_contracts.topics import TAXI_ORDERS


@dataclass(frozen=True, slots=True)
class Published:
    """A snapshot that Kafka has acknowledged; `sent_at` is a reading of `perf_counter` before it was sent."""

    sent_at: float
    acknowledged_at: float
    traceparent: str


@dataclass(frozen=True, slots=True)
class TaxiPlatform:
    """Publishes to `taxi.orders.v1` behind `topic_prefix`; the producer is started and stopped by whoever made it."""

    producer: AIOKafkaProducer
    topic_prefix: str

    async def publish(self, snapshot: OrderSnapshot) -> Published:
        """Send one snapshot as a CloudEvent, under a trace of its own, and return once Kafka has acknowledged it."""
        traceparent = f"00-{secrets.token_hex(16)}-{secrets.token_hex(8)}-01"
        head = EventHead(
            id=f"{snapshot.order_id}-{snapshot.version}",
            source="demo-platform",
            type=ORDER_TYPE,
            time=datetime.now(UTC),
            subject=snapshot.order_id,
            traceparent=traceparent,
        )
        sent_at = perf_counter()
        await self.producer.send_and_wait(
            self.topic_prefix + TAXI_ORDERS.name,
            key=snapshot.order_id.encode(),
            value=snapshot.to_json(),
            headers=list(to_headers(head)),
        )
        return Published(sent_at, perf_counter(), traceparent)
