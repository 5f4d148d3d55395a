"""Ingest a batch of order events: one transaction, from locked orders to bindings with numbers and codes."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from order_binder.domain.allocation import Allocator
from order_binder.domain.codes import CodeHold, CodesExhausted, DrawBelow, code_digits, code_holds, draw_codes
from order_binder.domain.events import OrderEvent, phones_in, read_event
from order_binder.domain.lifecycle import Outcome, decide
from order_binder.domain.orders import Order, OrderKey
from order_binder.domain.revision import next_revision
from order_binder.domain.slots import SlotBook
from order_binder.domain.states import next_change, state_at
from order_binder.ports import BindingStore, BindingUnit, Change, InputProgress, LostRace, TenantView

UNKNOWN_TENANT = "unknown_tenant"
_ATTEMPTS = 8
_SPARE = 4


@dataclass(slots=True)
class IngestReport:
    """What a batch came to: counts for the metrics, and the events that cannot be used, by their place in the batch."""

    outcomes: Counter[Outcome] = field(default_factory=Counter)
    phone_faults: Counter[str] = field(default_factory=Counter)
    unroutable: Counter[str] = field(default_factory=Counter)
    times_replaced: int = 0
    pool_dry: Counter[str] = field(default_factory=Counter)
    refused: dict[int, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Decided:
    before: Order | None
    after: Order
    view: TenantView


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
        self._below = below

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
        await self._allocate_and_save(unit, decided, locked.now, report)

    async def _allocate_and_save(
        self, unit: BindingUnit, decided: Sequence[_Decided], now: datetime, report: IngestReport
    ) -> None:
        """Choose and write until nobody was faster: whoever loses a slot or a code chooses another one."""
        lost: frozenset[tuple[str, str]] = frozenset()
        for _ in range(_ATTEMPTS):
            allocator, book = await self._allocator(unit, decided, now, lost)
            try:
                allocated = [
                    allocator.allocate(it.before, it.after, it.view.policy, it.view.inventory) for it in decided
                ]
            except CodesExhausted:
                continue
            changes = [_change(found.order, now) for found in allocated]
            saved = await unit.save(changes, book.changed(), _codes(decided, changes, now))
            if saved.done:
                report.pool_dry.update(found.order.key.tenant for found in allocated if found.pool_dry)
                report.unroutable.update(found.order.unroutable for found in allocated if found.order.unroutable)
                return
            lost |= saved.lost_codes
        raise LostRace

    async def _allocator(
        self, unit: BindingUnit, decided: Sequence[_Decided], now: datetime, lost: frozenset[tuple[str, str]]
    ) -> tuple[Allocator, SlotBook]:
        orders = [order for it in decided for order in (it.before, it.after) if order is not None]
        phones = {phone for order in orders if order.terms is not None for phone in order.terms.phones}
        numbers = {number.e164 for it in decided for number in it.view.inventory.numbers}
        book = SlotBook(await unit.slots_of(phones), now)
        codes = await self._free_codes(unit, decided, now, lost)
        loads = await unit.loads(numbers)
        allocator = Allocator(book, now=now, loads=loads, free_codes=codes, lost_codes=lost, below=self._below)
        return allocator, book

    async def _free_codes(
        self, unit: BindingUnit, decided: Sequence[_Decided], now: datetime, lost: frozenset[tuple[str, str]]
    ) -> Mapping[str, Sequence[str]]:
        wanted = Counter(tenant for tenant, _ in lost)
        for it in decided:
            wanted[it.after.key.tenant] += _codes_wanted(it.after, now)
        policies = {it.after.key.tenant: it.view.policy for it in decided}
        found: dict[str, Sequence[str]] = {}
        for tenant, count in wanted.items():
            if count:
                digits = code_digits(policies[tenant].code_digits, await unit.live_codes(tenant))
                drawn = draw_codes(count + count // 8 + _SPARE, digits, self._below)
                found[tenant] = await unit.free_codes(tenant, drawn)
        return found


def _decide_all(events: Sequence[OrderEvent], around: _Surroundings, report: IngestReport) -> list[_Decided]:
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
    return [_Decided(around.orders.get(key), standing[key], around.views[key.tenant]) for key in sorted(changed)]


def _codes_wanted(order: Order, now: datetime) -> int:
    """Return how many codes an order has to be given: one for each person who has none of his own yet."""
    if order.terms is None or order.ended(now):
        return 0
    had = order.allocation
    keys = (had.driver_key, had.client_key) if had else (None, None)
    return (order.terms.driver.key != keys[0]) + (order.terms.client.key != keys[1])


def _change(order: Order, now: datetime) -> Change:
    revised = replace(order, revision=next_revision(order.revision, now), updated_at=now)
    return Change(
        order=revised, state=state_at(revised, now), next_change_at=next_change(revised, now), publish=revised.bound
    )


def _codes(decided: Sequence[_Decided], changes: Sequence[Change], now: datetime) -> list[CodeHold]:
    return [
        hold
        for it, change in zip(decided, changes, strict=True)
        for hold in code_holds(it.before, change.order, now, it.view.policy.windows.cool_down)
    ]
