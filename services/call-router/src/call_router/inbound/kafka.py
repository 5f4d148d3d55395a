"""Fill the replica from the compacted topics, and keep it filled."""

import asyncio
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Protocol

from call_router.domain.bindings import Binding
from call_router.domain.inventory import ProxyNumber, Tenant
from call_router.inbound.observing import Observer
from call_router.records.bindings import Unreadable, read_binding, read_heartbeat
from call_router.records.inventory import read_number, read_tenant
from call_router.records.topics_read import Offsets
from fareline_chassis.kafka.records import InRecord
from fareline_contracts.topics import BINDINGS, NUMBERS, TENANTS

SLICE = 200
_HEARTBEAT_KEY = b"_hb/"


class KnownBindings(Protocol):
    """The bindings that are known already."""

    def get(self, tenant: str, order_id: str) -> Binding | None:
        """Return the binding of one order."""
        ...


class FedReplica(Protocol):
    """Where the records of the compacted topics go."""

    @property
    def bindings(self) -> KnownBindings:
        """What is known of bindings by now."""
        ...

    def put_binding(self, binding: Binding) -> bool:
        """Take a binding in; returns whether it was news."""
        ...

    def put_number(self, number: ProxyNumber) -> bool:
        """Take a number in; returns whether it was news."""
        ...

    def put_tenant(self, tenant: Tenant) -> bool:
        """Take a tenant in; returns whether it was news."""
        ...

    def drop_binding(self, tenant: str, order_id: str) -> None:
        """Forget a binding."""
        ...

    def drop_number(self, e164: str) -> None:
        """Forget a number."""
        ...

    def drop_tenant(self, name: str) -> None:
        """Forget a tenant."""
        ...


class Heartbeats(Protocol):
    """Who listens to heartbeats, and knows whether the replica is filled."""

    filled: asyncio.Event

    def heard(self, partition: int, input_as_of: datetime) -> None:
        """Note a heartbeat of a partition."""
        ...


class ReplicaFeed:
    """Takes records of all three topics into the replica. A record that cannot be read is counted and passed over."""

    def __init__(
        self, replica: FedReplica, heartbeats: Heartbeats, observer: Observer, clock: Callable[[], datetime]
    ) -> None:
        self._replica = replica
        self._heartbeats = heartbeats
        self._observer = observer
        self._clock = clock
        self.offsets: Offsets = {}
        self._take = {BINDINGS.name: self._binding, NUMBERS.name: self._number, TENANTS.name: self._tenant}

    def into(self, replica: FedReplica) -> "ReplicaFeed":
        """Return a feed like this one, which has read nothing yet, into another replica."""
        return ReplicaFeed(replica, self._heartbeats, self._observer, self._clock)

    async def take(self, batch: Sequence[InRecord]) -> None:
        """Take a batch in, letting calls be answered after each slice of it, and note in `offsets` how far it went."""
        for start in range(0, len(batch), SLICE):
            for record in batch[start : start + SLICE]:
                self.take_one(record)
                self.offsets.setdefault(record.topic, {})[record.partition] = record.offset + 1
            await asyncio.sleep(0)

    def take_one(self, record: InRecord) -> None:
        """Take one record in."""
        try:
            self._take[record.topic](record)
        except Unreadable as error:
            self._observer.trouble(f"record of {record.topic}", error)

    def _binding(self, record: InRecord) -> None:
        key = record.key or b""
        if key.startswith(_HEARTBEAT_KEY):  # no tenant begins like that
            if record.value is not None:
                self._heartbeats.heard(record.partition, read_heartbeat(record.value).input_as_of)
        elif record.value is None:
            tenant, _, order_id = _text(key).partition("/")
            self._replica.drop_binding(tenant, order_id)
        else:
            news = read_binding(record.value, _trace(record))
            of_an_event = self._heartbeats.filled.is_set() and self._brings_an_event(news.binding)
            if self._replica.put_binding(news.binding) and of_an_event and news.caused_at:
                self._observer.routable(self._clock() - news.caused_at)

    def _brings_an_event(self, binding: Binding) -> bool:
        """Tell what an order event did from what the clock, a withdrawn number or a repair makes of an older one."""
        known = self._replica.bindings.get(binding.tenant, binding.order_id)
        return known is None or known.order_version < binding.order_version

    def _number(self, record: InRecord) -> None:
        if record.value is None:
            self._replica.drop_number(_text(record.key or b""))
        else:
            self._replica.put_number(read_number(record.value))

    def _tenant(self, record: InRecord) -> None:
        if record.value is None:
            self._replica.drop_tenant(_text(record.key or b""))
        else:
            self._replica.put_tenant(read_tenant(record.value))


def _text(key: bytes) -> str:
    return key.decode("utf-8", "replace")


def _trace(record: InRecord) -> str | None:
    value = record.header("traceparent")
    return value.decode() if value is not None and value.isascii() else None
