"""Ingest a batch of order events: one transaction, from locked orders to bindings with numbers and codes."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from order_binder.domain.codes import DrawBelow
from order_binder.domain.events import OrderEvent, phones_in, read_event
from order_binder.domain.lifecycle import Outcome, decide
from order_binder.domain.orders import Order, OrderKey
from order_binder.ports import BindingStore, BindingUnit, InputProgress, TenantView
from order_binder.usecases.allocate_orders import AllocateOrders, Decided, Written

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


@dataclass(frozen=True, slots=True)
class _Surroundings:
    orders: Mapping[OrderKey, Order]
    views: Mapping[str, TenantView]
    proxies: set[str]
    now: datetime


class IngestOrders:
    """Turns order events into bindings. `below` is the source of random numbers."""

    def __init__(self, store: BindingStore, below: DrawBelow) -> None:
        self._store = store
        self._allocate = AllocateOrders(below)

    async def __call__(self, events: Sequence[OrderEvent], progress: Sequence[InputProgress] = ()) -> IngestReport:
        """Process a batch, which may hold several events of one order in order of arrival; all of it or nothing.

        An event of an unknown tenant is refused and reported, the others go on. Raises LostRace when other processes
        kept winning the same slots: the batch may be tried again.
        """
        report = IngestReport()
        async with self._store.transaction() as unit:
            await self._process(unit, events, report)
            await unit.note_input(progress)
        return report

    async def _process(self, unit: BindingUnit, events: Sequence[OrderEvent], report: IngestReport) -> None:
        views = await unit.tenants({event.key.tenant for event in events})
        report.tenants = frozenset(views)
        known = []
        for place, event in enumerate(events):
            if event.key.tenant in views:
                known.append(event)
            else:
                report.refused[place] = UNKNOWN_TENANT
        if not known:
            return
        locked = await unit.lock({event.key for event in known})
        phones = {phone for event in known for phone in phones_in(event, views[event.key.tenant].policy.region)}
        proxies = await unit.proxies_among(phones)
        decided = _decide_all(known, _Surroundings(locked.orders, views, proxies, locked.now), report)
        if decided:
            _note(await self._allocate(unit, decided, locked.now), report)


def _decide_all(events: Sequence[OrderEvent], around: _Surroundings, report: IngestReport) -> list[Decided]:
    """Fold each order's events onto it and return the orders that changed, in key order."""
    standing: dict[OrderKey, Order] = dict(around.orders)
    changed: set[OrderKey] = set()
    for event in events:
        policy = around.views[event.key.tenant].policy
        reading = read_event(event, policy, around.proxies)
        decision = decide(standing.get(event.key), reading.snapshot, policy, around.now)
        report.outcomes[decision.outcome] += 1
        if decision.outcome is Outcome.STALE:
            continue
        report.phone_faults.update(reading.faults)
        report.times_replaced += reading.time_replaced
        standing[event.key] = decision.order
        changed.add(event.key)
    return [Decided(around.orders.get(key), standing[key], around.views[key.tenant]) for key in sorted(changed)]


def _note(written: Written, report: IngestReport) -> None:
    report.pool_dry.update(found.order.key.tenant for found in written.allocated if found.pool_dry)
    report.unroutable.update(found.order.unroutable for found in written.allocated if found.order.unroutable)
    report.longer_codes = dict(written.longer_codes)
