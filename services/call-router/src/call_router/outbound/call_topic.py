"""Call events into Kafka, from the spool's drain."""

from collections.abc import Callable, Sequence

from call_router.records.events import EventRecord
from fareline_chassis.kafka.producer import DeliveryRefused, Producer
from fareline_chassis.kafka.records import OutRecord


class CallTopic:
    """Sends call events and returns when Kafka has them."""

    def __init__(self, producer: Producer, *, on_refused: Callable[[str], None]) -> None:
        """`on_refused` hears Kafka's error for each event that it will never take, such as one too large."""
        self._producer = producer
        self._on_refused = on_refused

    async def send(self, records: Sequence[EventRecord]) -> None:
        """Send all, in order for each call; raises DeliveryUnknown when that is not certain."""
        out = [OutRecord(record.topic, record.key, record.value, record.headers) for record in records]
        try:
            await self._producer.send(out)
        except DeliveryRefused as error:
            for _, name in error.refused:
                self._on_refused(name)
