"""What an attempt knows of those before it, and what it asks for then."""

from collections import Counter

from binder_support import NOON, RU, inventory, seeded, snapshot

from order_binder.domain.lifecycle import decide
from order_binder.ports.bindings import Held, TenantView
from order_binder.usecases.allocate_orders import AllocateOrders, Attempt, Decided


class Unit:
    """A transaction in which nobody has anything yet; keeps what was asked for."""

    async def held(self, wanted):
        self.wanted = wanted
        return Held((), wanted.drawn)

    def loads(self):
        return Counter()

    def live_codes(self, tenant):
        return 0

    async def save(self, batch):
        self.saved = batch


def opened() -> Decided:
    return Decided(None, decide(None, snapshot(1, "accepted"), RU, NOON).order, TenantView(RU, inventory()))


async def allocate(decided, attempt) -> Unit:
    unit = Unit()
    await AllocateOrders(seeded())(unit, [decided], NOON, attempt)
    return unit


async def test_a_lost_code_of_a_tenant_who_is_not_here_any_more_asks_for_none():
    unit = await allocate(opened(), Attempt(first=False, lost_codes=frozenset({("gone", "482913")})))
    assert set(unit.wanted.drawn) == {"demo"}


async def test_who_keeps_people_and_number_is_asked_about_that_number_only_at_first():
    first = await allocate(opened(), Attempt())
    bound = first.saved.changes[0].order
    later = decide(bound, snapshot(2, "arrived"), RU, NOON).order
    again = Decided(bound, later, TenantView(RU, inventory()))
    number, phones = bound.allocation.number, set(bound.terms.phones)
    settled = (await allocate(again, Attempt())).wanted
    assert (set(settled.phones), set(settled.kept)) == (set(), {(number, phone) for phone in phones})
    assert set((await allocate(again, Attempt(first=False))).wanted.phones) == phones


async def test_who_must_leave_a_number_is_asked_about_everywhere():
    first = await allocate(opened(), Attempt())
    bound = first.saved.changes[0].order
    view = TenantView(RU, inventory().without(bound.allocation.number))
    assert set((await allocate(Decided(bound, bound, view), Attempt())).wanted.phones) == set(bound.terms.phones)
