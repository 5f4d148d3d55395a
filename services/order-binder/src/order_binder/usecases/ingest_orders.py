"""Ingest a batch of order events: look, decide, and write bindings with numbers and codes at one stroke."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial

from order_binder.domain.codes import DrawBelow
from order_binder.domain.events import OrderEvent, phones_in, read_event
from order_binder.domain.lifecycle import Outcome, decide
from order_binder.domain.orders import Order, OrderKey
from order_binder.ports.bindings import BindingStore, BindingUnit, Seen, TenantView
from order_binder.ports.progress import InputProgress
from order_binder.usecases.allocate_orders import AllocateOrders, Attempt, Decided, Written, until_won

UNKNOWN_TENANT = "unknown_tenant"


@dataclass(slots=True)
class IngestReport:
    """What a batch came to: counts for the metrics, and the events that cannot be used, by their place in the batch.

    `tenants` are those of the batch that exist. `pool_dry` counts by tenant; `longer_codes` says how many digits a
    tenant's codes have now, where the policy's would crowd the space.
    """

    tenants: frozenset[str] = frozenset()
    outcomes: Counter[Outcome] = field(default_factory=Counter)
    phone_faults: Counter[str] = field(default_factory=Counter)
    unroutable: Counter[str] = field(default_factory=Counter)
    times_replaced: int = 0
    pool_dry: Counter[str] = field(default_factory=Counter)
    longer_codes: dict[str, int] = field(default_factory=dict)
    refused: dict[int, str] = field(default_factory=dict)


class IngestOrders:
    """Turns order events into bindings. `below` is the source of random numbers."""

    def __init__(self, store: BindingStore, below: DrawBelow) -> None:
        self._store = store
        self._allocate = AllocateOrders(below)

    async def __call__(self, events: Sequence[OrderEvent], progress: Sequence[InputProgress] = ()) -> IngestReport:
        """Process a batch, which may hold several events of one order in order of arrival; all of it or nothing.

        An event of an unknown tenant is refused and reported, the others go on. Raises LostRace when others kept
        changing the same orders, slots or codes first: the batch may be tried again.
        """

        async def once(unit: BindingUnit, attempt: Attempt) -> IngestReport:
            return await self._process(unit, events, progress, attempt)

        return await until_won(self._store.optimistic, once)

    async def _process(
        self, unit: BindingUnit, events: Sequence[OrderEvent], progress: Sequence[InputProgress], attempt: Attempt
    ) -> IngestReport:
        if not events:
            await unit.note_input(progress)
            return IngestReport()
        seen = await unit.look({event.key for event in events}, partial(_phones_in_all, events))
        report = IngestReport(tenants=frozenset(seen.tenants))
        decided = _decide_all(_known(events, seen, report), seen, report)
        if decided:
            _note(await self._allocate(unit, decided, seen.now, attempt, progress), report)
        else:
            await unit.note_input(progress)
        return report


def _phones_in_all(events: Sequence[OrderEvent], tenants: Mapping[str, TenantView]) -> set[str]:
    """Return every phone that the events of known tenants name, E.164."""
    return {
        phone
        for event in events
        if event.key.tenant in tenants
        for phone in phones_in(event, tenants[event.key.tenant].policy.region)
    }


def _known(events: Sequence[OrderEvent], seen: Seen, report: IngestReport) -> list[OrderEvent]:
    """Return the events of tenants that exist, and report the others."""
    report.refused = {
        place: UNKNOWN_TENANT for place, event in enumerate(events) if event.key.tenant not in seen.tenants
    }
    return [event for place, event in enumerate(events) if place not in report.refused]


def _decide_all(events: Sequence[OrderEvent], seen: Seen, report: IngestReport) -> list[Decided]:
    """Fold each order's events onto it and return the orders that changed, in key order."""
    standing: dict[OrderKey, Order] = dict(seen.orders)
    changed: set[OrderKey] = set()
    for event in events:
        policy = seen.tenants[event.key.tenant].policy
        reading = read_event(event, policy, seen.proxies)
        decision = decide(standing.get(event.key), reading.snapshot, policy, seen.now)
        report.outcomes[decision.outcome] += 1
        if decision.outcome is Outcome.STALE:
            continue
        report.phone_faults.update(reading.faults)
        report.times_replaced += reading.time_replaced
        standing[event.key] = decision.order
        changed.add(event.key)
    return [Decided(seen.orders.get(key), standing[key], seen.tenants[key.tenant]) for key in sorted(changed)]


def _note(written: Written, report: IngestReport) -> None:
    report.pool_dry.update(found.order.key.tenant for found in written.allocated if found.pool_dry)
    report.unroutable.update(found.order.unroutable for found in written.allocated if found.order.unroutable)
    report.longer_codes = dict(written.longer_codes)
