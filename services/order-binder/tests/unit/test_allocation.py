"""Which number and which codes a binding gets; a slot means one peer whatever happens."""

from collections import Counter
from datetime import timedelta

import pytest
from binder_support import C1, C2, D1, HOUR, MAIN, MINUTE, NOON, POOL, RU, client, driver, inventory, seeded, snapshot
from hypothesis import given, settings
from hypothesis import strategies as st

from order_binder.domain.allocation import Allocator
from order_binder.domain.codes import CodesExhausted, draw_codes
from order_binder.domain.lifecycle import decide
from order_binder.domain.numbers import NumberState
from order_binder.domain.orders import OrderKey, Unroutable
from order_binder.domain.policy import Numbering
from order_binder.domain.slots import Fit, Hold, Slot, SlotBook, SlotTaken, SlotWish
from order_binder.domain.values import replace


class Desk:
    """Plays snapshots through decision and allocation, keeping orders and slots as the database would."""

    def __init__(self, numbers=None, policy=RU, seed=1):
        self.numbers, self.policy, self.below = numbers or inventory(), policy, seeded(seed)
        self.orders, self.slots, self.dry, self.used = {}, {}, 0, set()

    def play(self, snap, now):
        before = self.orders.get(snap.key)
        after = decide(before, snap, self.policy, now).order
        if after is before:
            return before
        book = SlotBook(self.slots.values(), now)
        codes = [code for code in draw_codes(8, 6, self.below) if code not in self.used]
        loads = Counter(order.allocation.number for order in self.orders.values() if order.allocation)
        allocator = Allocator(book, now=now, loads=loads, free_codes={snap.key.tenant: codes}, below=self.below)
        found = allocator.allocate(before, after, self.policy, self.numbers)
        for slot in book.changed():
            self.check(self.slots.get(slot.key), slot, str(snap.key), now)
            self.slots[slot.key] = slot
        self.dry += found.pool_dry
        self.orders[snap.key] = found.order
        if found.order.allocation:
            self.used |= {found.order.allocation.driver_code, found.order.allocation.client_code}
        return found.order

    @staticmethod
    def check(old, new, holder, now):
        """The invariant: a slot never changes whom it means while somebody else's hold lasts."""
        if old is not None and old.peer != new.peer:
            assert all(hold.until <= now for key, hold in old.holds.items() if key != holder)


def of(order_id, version, status, **changes):
    return snapshot(version, status, key=OrderKey("demo", order_id), **changes)


def test_main_is_the_default_where_there_is_no_pool():
    desk = Desk(inventory(pool=0))
    order = desk.play(of("o-1", 1, "accepted"), NOON)
    assert order.allocation.number == MAIN
    assert (desk.slots, desk.dry) == ({}, 0)


def test_main_may_be_chosen_although_there_is_a_pool():
    order = Desk(policy=replace(RU, numbering=Numbering.MAIN)).play(of("o-1", 1, "accepted"), NOON)
    assert order.allocation.number == MAIN


def test_a_pool_binding_claims_the_slot_of_every_phone():
    desk = Desk()
    number = desk.play(of("o-1", 1, "accepted", client=client(C1, C2)), NOON).allocation.number
    assert {(slot.number, slot.phone): slot.peer for slot in desk.slots.values()} == {
        (number, D1): "client:id:c-1",
        (number, C1): "driver:id:d-1",
        (number, C2): "driver:id:d-1",
    }


def test_case_5_number_and_clients_code_stay_and_the_drivers_code_goes():
    desk = Desk()
    first = desk.play(of("o-1", 1, "accepted"), NOON).allocation
    second = desk.play(of("o-1", 2, "accepted", driver=driver("+79035556677", person="d-2")), NOON).allocation
    assert second.number == first.number
    assert second.client_code == first.client_code
    assert second.driver_code != first.driver_code
    assert desk.slots[first.number, D1].held_until == NOON + 2 * HOUR
    assert desk.slots[first.number, C1].peer == "driver:id:d-2"


def test_case_5_another_number_when_the_new_driver_means_somebody_else_there():
    desk = Desk(inventory(pool=1))
    other = driver("+79035556677", person="d-2")
    desk.play(of("o-2", 1, "accepted", driver=other, client=client(C2, person="c-2")), NOON)
    assert desk.play(of("o-1", 1, "accepted"), NOON).allocation.number == POOL[0]
    desk.numbers = inventory(pool=2)
    assert desk.play(of("o-1", 2, "accepted", driver=other), NOON).allocation.number == POOL[1]


def test_case_6_the_same_pair_is_never_blocked_by_its_own_rest():
    desk = Desk(inventory(pool=1))
    first = desk.play(of("o-1", 1, "accepted"), NOON).allocation.number
    desk.play(of("o-1", 2, "accepted", driver=driver("+79035556677", person="d-2")), NOON + MINUTE)
    assert desk.play(of("o-1", 3, "accepted"), NOON + 2 * MINUTE).allocation.number == first
    assert desk.dry == 0


def test_a_pair_that_meets_again_while_the_client_may_still_call_gets_its_number_back():
    for seed in range(20):
        desk = Desk(seed=seed)
        first = desk.play(of("o-1", 1, "accepted"), NOON).allocation.number
        desk.play(of("o-1", 2, "completed"), NOON)
        later = desk.play(of("o-2", 1, "accepted", status_changed_at=NOON + 3 * HOUR), NOON + 3 * HOUR)
        assert later.allocation.number == first


def test_two_orders_of_one_pair_share_a_number_and_its_slots():
    desk = Desk()
    first = desk.play(of("o-1", 1, "accepted"), NOON).allocation.number
    assert desk.play(of("o-2", 1, "accepted"), NOON).allocation.number == first
    assert set(desk.slots[first, D1].holds) == {"demo/o-1", "demo/o-2"}
    desk.play(of("o-1", 2, "cancelled"), NOON)
    other = client(C1, person="c-9")
    moved = desk.play(of("o-3", 1, "accepted", client=other), NOON + 3 * HOUR).allocation.number
    assert moved != first


@pytest.mark.parametrize(("after", "same"), [(2 * HOUR - MINUTE, False), (2 * HOUR, True)])
def test_a_slot_rests_for_the_cool_down_before_it_means_somebody_else(after, same):
    desk = Desk(inventory(pool=1))
    desk.play(of("o-1", 1, "accepted"), NOON)
    desk.play(of("o-1", 2, "cancelled"), NOON)
    number = desk.play(of("o-2", 1, "accepted", client=client(C2, person="c-2")), NOON + after).allocation.number
    assert (number == POOL[0]) is same
    assert desk.dry == (not same)


def test_what_rests_goes_on_resting_whatever_its_order_and_its_policy_come_to_later():
    desk = Desk()
    desk.play(of("o-1", 1, "accepted"), NOON)
    desk.play(of("o-1", 2, "cancelled"), NOON + MINUTE)
    resting = dict(desk.slots)
    desk.policy = replace(RU, windows=replace(RU.windows, cool_down=timedelta()))
    desk.play(of("o-1", 3, "cancelled"), NOON + 2 * MINUTE)
    assert desk.slots == resting


def test_case_39_a_dry_pool_gives_the_main_number_and_codes():
    desk = Desk(inventory(pool=1))
    desk.play(of("o-1", 1, "accepted"), NOON)
    order = desk.play(of("o-2", 1, "accepted", client=client(C2, person="c-2")), NOON)
    assert order.allocation.number == MAIN
    assert len(order.allocation.driver_code) == 6
    assert desk.dry == 1


def test_no_number_at_all_is_unroutable():
    order = Desk(inventory(pool=0, main=False)).play(of("o-1", 1, "accepted"), NOON)
    assert order.unroutable is Unroutable.NO_NUMBER
    assert order.ended(NOON)


@pytest.mark.parametrize("state", [NumberState.DRAINING, NumberState.RESTING, NumberState.PENDING_LABEL])
def test_case_41_only_active_numbers_are_lent(state):
    assert Desk(inventory(state=state)).play(of("o-1", 1, "accepted"), NOON).allocation.number == MAIN


@pytest.mark.parametrize(("state", "kept"), [(NumberState.DRAINING, True), (NumberState.RESTING, False)])
def test_case_41_a_draining_number_keeps_the_bindings_it_has(state, kept):
    desk = Desk()
    first = desk.play(of("o-1", 1, "accepted"), NOON).allocation.number
    desk.numbers = inventory(state=state)
    assert (desk.play(of("o-1", 2, "arrived"), NOON).allocation.number == first) is kept


def test_the_drivers_slot_stays_while_the_client_may_call_if_the_pool_allows():
    desk = Desk(inventory(pool=2))
    first = desk.play(of("o-1", 1, "accepted"), NOON).allocation.number
    desk.play(of("o-1", 2, "completed"), NOON)
    later = NOON + 3 * HOUR
    second = desk.play(of("o-2", 1, "accepted", client=client(C2, person="c-2")), later).allocation.number
    assert second != first
    third = desk.play(of("o-3", 1, "accepted", client=client("+79269990000", person="c-3")), later).allocation.number
    assert third == first
    assert desk.dry == 0


def test_the_least_loaded_numbers_are_drawn_from():
    drawn = Counter()
    for seed in range(60):
        desk = Desk(seed=seed)
        for busy in range(5):
            other = {
                "driver": driver(f"+7903000000{busy}", person=f"x{busy}"),
                "client": client(f"+7926000000{busy}", person=f"y{busy}"),
            }
            desk.play(of(f"busy-{busy}", 1, "accepted", **other), NOON)
        loads = Counter(order.allocation.number for order in desk.orders.values())
        number = desk.play(of("o-1", 1, "accepted"), NOON).allocation.number
        drawn[loads[number]] += 1
    assert set(drawn) == {0}


def test_a_code_that_somebody_took_over_is_drawn_again():
    desk = Desk()
    order = desk.play(of("o-1", 1, "accepted"), NOON)
    lost = {("demo", order.allocation.client_code)}
    allocator = Allocator(
        SlotBook([], NOON), now=NOON, loads=Counter(), free_codes={"demo": ["482913"]}, lost_codes=lost, below=seeded()
    )
    again = allocator.allocate(order, order, RU, inventory()).order.allocation
    assert (again.driver_code, again.client_code) == (order.allocation.driver_code, "482913")
    with pytest.raises(CodesExhausted):
        allocator.allocate(order, order, RU, inventory())


def test_claiming_a_slot_that_means_somebody_else_is_refused():
    hold = Hold(NOON + HOUR, NOON + HOUR)
    book = SlotBook([Slot(POOL[0], D1, "client:id:c-1", {"demo/o-1": hold})], NOON)
    wish = SlotWish(D1, "client:id:c-2", hold)
    assert book.fit(POOL[0], wish, "demo/o-2") is Fit.TAKEN
    with pytest.raises(SlotTaken):
        book.claim(POOL[0], wish, "demo/o-2")


STEP = st.tuples(
    st.integers(0, 5),
    st.sampled_from(["accepted", "accepted", "arrived", "searching", "completed", "cancelled"]),
    st.integers(0, 3),
    st.integers(0, 3),
    st.integers(0, 200),
)


@settings(max_examples=150, deadline=None)
@given(st.lists(STEP, max_size=40), st.integers(1, 3), st.integers(0, 1000))
def test_over_any_history_a_slot_means_one_peer_and_live_codes_differ(steps, pool, seed):
    desk, now = Desk(inventory(pool=pool), seed=seed), NOON
    for version, (order, status, who, whom, minutes) in enumerate(steps, 1):
        now += timedelta(minutes=minutes)
        named = None if status == "searching" else driver(f"+7903000000{who}", person=f"d-{who}")
        desk.play(
            of(
                f"o-{order}",
                version,
                status,
                driver=named,
                client=client(f"+7926000000{whom}", person=f"c-{whom}"),
                status_changed_at=now,
            ),
            now,
        )
        live = [each for each in desk.orders.values() if each.bound and not each.ended(now)]
        for each in live:
            if each.allocation.number != MAIN:
                for phone, peer in [(p, each.terms.client) for p in each.terms.driver.phones] + [
                    (p, each.terms.driver) for p in each.terms.client.phones
                ]:
                    slot = desk.slots[each.allocation.number, phone]
                    if now < each.terms.directions.driver_to_client.closes_at:
                        assert slot.peer == peer.key
                        assert str(each.key) in slot.holds
        codes = [code for each in live for code in (each.allocation.driver_code, each.allocation.client_code)]
        assert len(codes) == len(set(codes))


def test_ten_numbers_carry_two_hundred_drivers_through_a_shift():
    rng = seeded(7)
    shift, orders = 12 * HOUR, []
    for who in range(200):
        start = timedelta(minutes=rng(40))
        for trip in range(18):
            begin = NOON + start + trip * (shift / 18)
            party = {
                "driver": driver(f"+790300{who:05d}", person=f"d-{who}"),
                "client": client(f"+7926{rng(3000):07d}", person=f"c-{who}-{trip}"),
            }
            orders.append((begin, of(f"o-{who}-{trip}", 1, "accepted", status_changed_at=begin, **party)))
            done = begin + 30 * MINUTE
            orders.append((done, of(f"o-{who}-{trip}", 2, "completed", status_changed_at=done, **party)))
    events = sorted(orders, key=lambda pair: pair[0])
    slots_only = ShiftDesk()
    for now, snap in events:
        slots_only.play(snap, now)
    assert slots_only.dry == 0


class ShiftDesk(Desk):
    """A desk fast enough for a shift: it looks at the slots of the phones at hand only, and at no loads."""

    def __init__(self):
        super().__init__()
        self.by_phone = {}

    def play(self, snap, now):
        before = self.orders.get(snap.key)
        after = decide(before, snap, self.policy, now).order
        book = SlotBook([slot for phone in after.terms.phones for slot in self.by_phone.get(phone, {}).values()], now)
        codes = draw_codes(2, 6, self.below)
        allocator = Allocator(book, now=now, loads=Counter(), free_codes={"demo": codes}, below=self.below)
        found = allocator.allocate(before, after, self.policy, self.numbers)
        for slot in book.changed():
            self.by_phone.setdefault(slot.phone, {})[slot.number] = slot
        self.dry += found.pool_dry
        self.orders[snap.key] = found.order
        return found.order
