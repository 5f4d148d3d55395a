"""What is written for speed is, byte for byte, what the contract would write of the same order."""

from datetime import UTC, datetime, timedelta

import orjson
import pytest
from binder_support import NOON
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec.json import encode

from fareline_chassis.publication.source import Publishable
from fareline_contracts.bindings import BINDING_TYPE, BindingRecord, BindingState
from fareline_contracts.cloudevents import EventHead, to_headers
from fareline_contracts.fields import EARLIEST
from order_binder.domain.orders import Allocation, Order, OrderKey, OrderStatus, Person, Role, Terms, Unroutable
from order_binder.domain.policy import CallTerms
from order_binder.domain.windows import HORIZON, Directions, Window
from order_binder.outbound.binding_json import binding_json
from order_binder.outbound.documents import order_document
from order_binder.outbound.published_records import REVISION_HEADER, SOURCE, binding_publishable
from order_binder.records import binding_record

times = st.integers(int(EARLIEST.timestamp() * 1e6), int(HORIZON.timestamp() * 1e6)).map(
    lambda microseconds: datetime.fromtimestamp(0, UTC) + timedelta(microseconds=microseconds)
)
texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=256)
phones = st.integers(10**4, 10**15 - 1).map("+{}".format)
codes = st.integers(10**5, 10**8 - 1).map(str)
windows = st.builds(Window, times, times, st.booleans())


def person(role: Role):
    known = st.lists(phones, max_size=5).map(tuple)
    return st.builds(Person, st.just(role), known, st.none() | texts, st.none() | texts)


calls = st.builds(
    CallTerms,
    record=st.booleans(),
    announce_client=st.none() | texts,
    announce_driver=st.none() | texts,
    ring_timeout_s=st.integers(5, 300),
    max_duration_s=st.integers(30, 86_400),
)
unhurried = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
orders = st.builds(
    Order,
    key=st.builds(
        OrderKey,
        st.text("abcxyz019", min_size=1, max_size=63),
        st.text("abcXYZ019._:~-", min_size=1, max_size=128),
    ),
    version=st.integers(0, 2**53 - 1),
    status=st.sampled_from(OrderStatus),
    status_changed_at=times,
    caused_at=times,
    revision=st.integers(0, 2**63 - 1),
    terms=st.builds(Terms, person(Role.DRIVER), person(Role.CLIENT), st.builds(Directions, windows, windows), calls),
    allocation=st.builds(Allocation, phones, codes, codes, texts, texts),
    unroutable=st.none() | st.sampled_from(Unroutable),
    city=st.none() | texts,
    traceparent=st.none() | st.text("0123456789abcdef-", min_size=55, max_size=55),
    updated_at=times,
)


@unhurried
@given(orders, times)
def test_a_binding_is_written_as_the_contract_writes_it(order, now):
    written, record = binding_json(order, now), binding_record(order, now)
    assert written == record.to_json()
    assert BindingRecord.model_validate_json(written) == record


def test_an_order_without_a_binding_has_no_value():
    assert binding_json(dated(1, 2, OrderStatus.CREATED, allocation=None), NOON) is None
    assert binding_json(dated(1, 2, OrderStatus.CREATED, terms=None), NOON) is None


@pytest.mark.parametrize(
    ("opens", "closes", "status", "state"),
    [
        (1, 2, "accepted", "pending"),
        (-1, 2, "in_progress", "active"),
        (-1, 2, "completed", "grace"),
        (-2, -1, "cancelled", "ended"),
    ],
)
def test_every_state_is_written(opens, closes, status, state):
    written = binding_json(dated(opens, closes, OrderStatus(status)), NOON)
    assert BindingRecord.model_validate_json(written).state is BindingState(state)


@unhurried
@given(orders)
def test_a_row_becomes_the_record_with_the_headers_of_the_contract(order):
    found = binding_publishable(row_of(order))
    key = f"{order.key.tenant}/{order.key.order_id}"
    head = EventHead(
        id=f"{key}/{order.revision}",
        source=SOURCE,
        type=BINDING_TYPE,
        time=order.updated_at,
        subject=key,
        traceparent=order.traceparent,
    )
    headers = (*to_headers(head), (REVISION_HEADER, b"%d" % order.revision))
    value = binding_record(order, order.updated_at).to_json()
    assert found == Publishable(key.encode(), order.revision, value, headers)


def test_a_row_without_a_binding_becomes_a_tombstone():
    found = binding_publishable(row_of(dated(1, 2, OrderStatus.CANCELLED, allocation=None)))
    assert (found.key, found.revision, found.value) == (b"demo/o-1", 7, None)


def row_of(order):
    columns = ("version", "revision", "traceparent", "caused_at", "updated_at")
    return {name: getattr(order, name) for name in columns} | {
        "tenant": order.key.tenant,
        "order_id": order.key.order_id,
        "status": order.status.value,
        "document": orjson.loads(encode(order_document(order))),
    }


def dated(opens, closes, status, **changes):
    """Return an order of one window, in hours from noon."""
    window = Window(NOON + timedelta(hours=opens), NOON + timedelta(hours=closes))
    driver, client = Person(Role.DRIVER, ("+79031112233",)), Person(Role.CLIENT, ())
    known = {
        "terms": Terms(driver, client, Directions(window, window), CallTerms()),
        "allocation": Allocation("+74950000101", "482913", "118204", "d", "c"),
    }
    return Order(OrderKey("demo", "o-1"), 1, status, NOON, NOON, revision=7, updated_at=NOON, **(known | changes))
