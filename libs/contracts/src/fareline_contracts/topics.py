"""The registry of topics: what flows, who writes, who reads, how long it stays.

`docs/flows.md`, the topics of the devstack and those of a deployment are made from it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from fareline_contracts.bindings import BINDING_TYPE, HEARTBEAT_TYPE, BindingRecord, Heartbeat
from fareline_contracts.calls import (
    CALL_ENDED_TYPE,
    CALL_PROGRESS_TYPE,
    CALL_ROUTED_TYPE,
    RECORDING_READY_TYPE,
    CallEnded,
    CallProgress,
    CallRouted,
    RecordingReady,
)
from fareline_contracts.fields import Record
from fareline_contracts.numbers import NUMBER_TYPE, NumberRecord
from fareline_contracts.orders import ORDER_TYPE, OrderSnapshot
from fareline_contracts.recordings import (
    RECORDING_MISSING_TYPE,
    RECORDING_STORED_TYPE,
    RecordingMissing,
    RecordingStored,
)
from fareline_contracts.tenants import TENANT_TYPE, TenantRecord

DAY_MS = 24 * 60 * 60 * 1000
HOUR_MS = 60 * 60 * 1000
MAX_MESSAGE_BYTES = 1024 * 1024
DLQ_HEADROOM_BYTES = 64 * 1024
OUR_PARTITIONS = 12
COMPACTED = {
    "cleanup.policy": "compact",
    "segment.ms": str(HOUR_MS),
    "segment.bytes": str(64 * 1024 * 1024),
    "min.cleanable.dirty.ratio": "0.1",
    "max.compaction.lag.ms": str(6 * HOUR_MS),
    "delete.retention.ms": str(7 * DAY_MS),
}


def kept_for(days: int) -> dict[str, str]:
    """Return the configuration of a topic whose records are deleted after `days`."""
    return {"cleanup.policy": "delete", "retention.ms": str(days * DAY_MS)}


@dataclass(frozen=True, slots=True)
class Topic:
    """One topic. `records` maps each `ce_type` to its model; those in `given_up_by` put aside what they cannot use.

    What they put aside lies in `<name>.dlq`, and each has a command `dlq` that sends it to `name` again.
    """

    name: str
    description: str
    key: str
    records: Mapping[str, type[Record]]
    producers: tuple[str, ...]
    consumers: tuple[str, ...]
    config: Mapping[str, str]
    given_up_by: tuple[str, ...] = ()
    partitions: int = OUR_PARTITIONS
    max_message_bytes: int = field(default=MAX_MESSAGE_BYTES)

    @property
    def dead_letters(self) -> bool:
        """Whether records of this topic may be given up."""
        return bool(self.given_up_by)

    @property
    def compacted(self) -> bool:
        """Whether Kafka keeps the last record of each key for good."""
        return self.config["cleanup.policy"] == "compact"

    @property
    def settings(self) -> dict[str, str]:
        """Return the topic's whole Kafka configuration."""
        return {**self.config, "max.message.bytes": str(self.max_message_bytes)}


TAXI_ORDERS = Topic(
    name="taxi.orders.v1",
    description="Whole snapshots of orders, one for each change.",
    key="order id",
    records={ORDER_TYPE: OrderSnapshot},
    producers=("taxi platform", "order-binder"),
    consumers=("order-binder",),
    config=kept_for(7),
    given_up_by=("order-binder",),
)
BINDINGS = Topic(
    name="fareline.bindings.v1",
    description="The binding of each order, and a heartbeat for each partition once a second.",
    key="tenant/order id",
    records={BINDING_TYPE: BindingRecord, HEARTBEAT_TYPE: Heartbeat},
    producers=("order-binder",),
    consumers=("call-router",),
    config=COMPACTED,
)
NUMBERS = Topic(
    name="fareline.numbers.v1",
    description="The inventory of proxy numbers.",
    key="E.164",
    records={NUMBER_TYPE: NumberRecord},
    producers=("order-binder",),
    consumers=("call-router",),
    config=COMPACTED,
)
TENANTS = Topic(
    name="fareline.tenants.v1",
    description="Tenants with their region, policy and staff.",
    key="tenant",
    records={TENANT_TYPE: TenantRecord},
    producers=("order-binder",),
    consumers=("call-router", "recording-ingest"),
    config=COMPACTED,
)
CALLS = Topic(
    name="fareline.calls.v1",
    description="Every question, answer and report of a call.",
    key="call id",
    records={
        CALL_ROUTED_TYPE: CallRouted,
        CALL_PROGRESS_TYPE: CallProgress,
        CALL_ENDED_TYPE: CallEnded,
        RECORDING_READY_TYPE: RecordingReady,
    },
    producers=("call-router",),
    consumers=("recording-ingest", "call-router"),
    config=kept_for(14),
    given_up_by=("recording-ingest",),
)
RECORDINGS = Topic(
    name="fareline.recordings.v1",
    description="What became of each recording.",
    key="call id",
    records={RECORDING_STORED_TYPE: RecordingStored, RECORDING_MISSING_TYPE: RecordingMissing},
    producers=("recording-ingest",),
    consumers=(),
    config=kept_for(14),
)
REGISTRY: tuple[Topic, ...] = (TAXI_ORDERS, BINDINGS, NUMBERS, TENANTS, CALLS, RECORDINGS)


def dlq_of(topic: Topic) -> Topic:
    """Return the dead-letter topic beside `topic`; its records are the original bytes under the original key."""
    return Topic(
        name=f"{topic.name}.dlq",
        description=f"Records of {topic.name} that its reader gave up, with the reason in their headers.",
        key=f"as in {topic.name}",
        records={},
        producers=topic.given_up_by,
        consumers=topic.given_up_by,
        config=kept_for(30),
        partitions=topic.partitions,
        max_message_bytes=topic.max_message_bytes + DLQ_HEADROOM_BYTES,
    )


def deployed_topics() -> tuple[Topic, ...]:
    """Return every topic that a deployment needs, dead-letter topics included."""
    return REGISTRY + tuple(dlq_of(topic) for topic in REGISTRY if topic.dead_letters)
