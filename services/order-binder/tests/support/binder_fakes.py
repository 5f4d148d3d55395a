"""Stand-ins at the edges of order-binder, for tests of the edges alone."""

from datetime import UTC, datetime

from opentelemetry.trace import NoOpTracer

from fareline_chassis.tracing import Tracing
from order_binder.domain.numbers import Leaving, NumberState
from order_binder.domain.values import replace
from order_binder.inbound.alarms import TenantAlarms
from order_binder.inbound.kafka import OrderConsumer
from order_binder.inbound.refusals import FailureWatch
from order_binder.ports.reading import Found
from order_binder.ports.registry import NumberInUse, NumberIsAPhone
from order_binder.usecases.ingest_orders import IngestReport

NOW = datetime(2026, 11, 24, 10, 0, tzinfo=UTC)


class RegistryInMemory:
    """Tenants and numbers in two dicts; `phones` are parties' phones, `used` the numbers that bindings use."""

    def __init__(self):
        self.tenants, self.entries, self.phones, self.used, self.leaving = {}, {}, set(), set(), {}

    async def put_tenant(self, entry):
        self.tenants[entry.tenant] = replace(entry, revision=1)
        return self.tenants[entry.tenant]

    async def tenant(self, tenant):
        return self.tenants.get(tenant)

    async def put_number(self, entry):
        if entry.e164 in self.phones:
            raise NumberIsAPhone
        self.entries[entry.e164] = replace(entry, revision=1)
        return self.entries[entry.e164]

    async def number(self, tenant, e164):
        found = self.entries.get(e164)
        return found if found and found.tenant == tenant else None

    async def numbers(self, tenant):
        return sorted((each for each in self.entries.values() if each.tenant == tenant), key=lambda each: each.e164)

    async def withdraw_number(self, tenant, e164):
        if e164 in self.used:
            raise NumberInUse
        return self.entries.pop(e164, None) is not None

    async def leave_number(self, tenant, e164, how):
        if e164 in self.entries:
            self.entries[e164] = replace(self.entries[e164], state=NumberState.DRAINING, revision=2)
            self.leaving[e164] = how
        return self.entries.get(e164)

    async def vacate(self, only=None):
        """Do what the use case of that name does, as far as a registry sees it."""
        if self.leaving.pop(only) is Leaving.MOVE or only not in self.used:
            self.entries.pop(only)


class OrdersInMemory:
    """Orders to be read."""

    def __init__(self):
        self.orders = {}

    async def order(self, key):
        return self.orders.get(key), NOW

    async def find(self, tenant, *, phone, code, limit):
        found = [each for each in self.orders.values() if each.terms and phone in each.terms.phones]
        return Found(tuple(found[:limit]), NOW, None)


class SinkInMemory:
    """Keeps what was submitted, or raises `error`."""

    def __init__(self):
        self.submitted, self.error = [], None

    async def submit(self, snapshots):
        if self.error:
            raise self.error
        self.submitted.extend(snapshots)


class IngestInMemory:
    """Keeps what was ingested; raises what `fault` returns for a batch of events."""

    def __init__(self, fault=lambda events: None):
        self.batches, self.progress, self.fault = [], [], fault

    async def __call__(self, events, progress=()):
        error = self.fault(events)
        if error is not None:
            raise error
        self.batches.append([event.key.order_id for event in events])
        self.progress.extend(progress)
        return IngestReport(tenants=frozenset(event.key.tenant for event in events))

    @property
    def ingested(self):
        return [order_id for batch in self.batches for order_id in batch]


def consumer_with(ingest, put_aside, metrics) -> OrderConsumer:
    """Return the consumer of order events with stand-ins for what lies behind it."""
    return OrderConsumer(
        ingest=ingest,
        put_aside=put_aside,
        metrics=metrics,
        alarms=TenantAlarms(metrics),
        clock=lambda: NOW,
        watch=FailureWatch(),
        tracing=Tracing(NoOpTracer()),
    )
