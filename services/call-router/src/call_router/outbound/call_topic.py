"""Call events into Kafka, from the spool's drain."""

from collections.abc import Callable, Sequence

from call_router.records.events import EventRecord
from fareline_chassis.health import HealthComponent
from fareline_chassis.kafka.producer import DeliveryRefused, Producer
from fareline_chassis.kafka.records import OutRecord
from fareline_chassis.lifecycle import wait_for


class CallTopic:
    """Sends call events and returns when Kafka has them, however long that takes."""

    def __init__(self, producer: Producer, component: HealthComponent, *, on_refused: Callable[[str], None]) -> None:
        """`component` says so while Kafka is waited for; `on_refused` hears why it will never take an event."""
        self._producer = producer
        self._component = component
        self._on_refused = on_refused

    async def send(self, records: Sequence[EventRecord]) -> None:
        """Send all, in order for each call, and again until they are known to be there."""
        out = [OutRecord(record.topic, record.key, record.value, record.headers) for record in records]

        async def attempt() -> None:
            try:
                await self._producer.send(out)
            except DeliveryRefused as error:
                for _, name in error.refused:
                    self._on_refused(name)

        await wait_for("kafka", attempt, component=self._component)
