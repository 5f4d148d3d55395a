"""The topic of order events, for snapshots that came over HTTPS."""

from collections.abc import Callable, Sequence
from datetime import datetime

from fareline_chassis.kafka.producer import Producer
from fareline_chassis.kafka.records import OutRecord
from fareline_contracts.cloudevents import EventHead, to_headers
from fareline_contracts.orders import ORDER_TYPE
from fareline_contracts.topics import TAXI_ORDERS
from order_binder.outbound.published_records import SOURCE
from order_binder.ports.door import SubmittedSnapshot


class KafkaOrderSink:
    """Appends snapshots to the order topic."""

    def __init__(self, producer: Producer, now: Callable[[], datetime]) -> None:
        self._producer = producer
        self._now = now

    async def submit(self, snapshots: Sequence[SubmittedSnapshot]) -> None:
        """Return once Kafka has acknowledged all of them. Raises DeliveryUnknown when it does not answer."""
        await self._producer.send([self._record(snapshot) for snapshot in snapshots])

    def _record(self, snapshot: SubmittedSnapshot) -> OutRecord:
        head = EventHead(
            id=f"{snapshot.key}/{snapshot.version}",
            source=f"{SOURCE}/door",
            type=ORDER_TYPE,
            time=self._now(),
            subject=snapshot.key.order_id,
            traceparent=snapshot.traceparent,
        )
        return OutRecord(TAXI_ORDERS.name, snapshot.key.order_id.encode(), snapshot.value, to_headers(head))
