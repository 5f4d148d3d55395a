"""Sharing a batch out: nothing is lost, nothing that belongs together is parted, order is kept."""

from binder_support import NOON
from hypothesis import given
from hypothesis import strategies as st

from order_binder.domain.events import OrderEvent, WrittenParty
from order_binder.domain.lanes import lanes
from order_binder.domain.orders import OrderKey, OrderStatus

ORDERS = st.tuples(st.integers(0, 2), st.integers(0, 6), st.integers(0, 6), st.integers(-1, 4))


def event(tenant: int, order: int, client: int, driver: int) -> OrderEvent:
    return OrderEvent(
        key=OrderKey(f"t-{tenant}", f"o-{order}"),
        version=1,
        status=OrderStatus.ACCEPTED,
        status_changed_at=NOON,
        client=WrittenParty((f"c{client}",)),
        caused_at=NOON,
        driver=None if driver < 0 else WrittenParty((f"d{driver}", f"c{driver}")),
    )


def marks(one: OrderEvent) -> set:
    phones = one.client.phones + (one.driver.phones if one.driver else ())
    return {one.key} | {(one.key.tenant, phone) for phone in phones}


@given(st.lists(ORDERS, max_size=40), st.integers(1, 5))
def test_what_has_an_order_or_a_phone_in_common_stays_together_in_its_order(drawn, count):
    events = [event(*each) for each in drawn]
    found = lanes(events, count)
    assert sorted(place for lane in found for place in lane) == list(range(len(events)))
    assert all(lane == sorted(lane) and lane for lane in found)
    assert len(found) <= count
    seen = [set().union(*(marks(events[place]) for place in lane)) for lane in found]
    assert all(not (one & other) for index, one in enumerate(seen) for other in seen[:index])


def test_strangers_are_shared_out_evenly():
    found = lanes([event(0, order, 100 + order, 200 + order) for order in range(90)], 3)
    assert [len(lane) for lane in found] == [30, 30, 30]


def test_a_batch_of_one_driver_is_one_lane():
    assert len(lanes([event(0, order, 10 + order, 1) for order in range(20)], 3)) == 1
