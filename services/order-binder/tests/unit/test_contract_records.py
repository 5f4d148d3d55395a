"""What crosses the border says the same on both sides."""

from datetime import timedelta

import msgspec
import orjson
from binder_support import NOON, RU, client, driver, snapshot

from fareline_contracts.bindings import BindingRecord
from order_binder.domain.lifecycle import decide
from order_binder.domain.numbers import NumberRole, NumberState
from order_binder.domain.orders import Allocation, OrderStatus
from order_binder.outbound.documents import order_document, order_of
from order_binder.records import binding_record, policy_of

from order_binder.domain.values import replace  # isort: skip


def order(**changes):
    found = decide(None, snapshot(3, "accepted", **changes), RU, NOON).order
    allocation = Allocation("+74950000101", "482913", "118204", driver().key, client().key)
    return replace(found, revision=7, allocation=allocation, updated_at=NOON)


def test_defaults_are_those_of_the_contract():
    assert policy_of("RU", {}) == RU


def test_figures_of_the_policy_arrive():
    policy = policy_of("RU", {"windows": {"cap": 60}, "calls": {"record": False}, "allowed_prefixes": ["+7"]})
    assert policy.windows.cap == timedelta(hours=1)
    assert policy.calls.record is False
    assert policy.allowed_prefixes == ("+7",)


def test_a_binding_becomes_its_record():
    record = binding_record(order(scheduled_for=NOON + timedelta(days=1)), NOON)
    assert BindingRecord.model_validate_json(record.to_json()) == record
    assert record.state == "pending"
    assert record.parties.driver.code == "482913"
    assert record.call_policy.caller_id == record.number
    assert record.call_policy.announce.client == "recording"
    assert record.directions.client_to_driver.opens_at == NOON + timedelta(hours=23.5)


def test_an_order_without_a_binding_has_no_record():
    assert binding_record(replace(order(), allocation=None), NOON) is None


def test_a_row_gives_back_the_very_order():
    found = order(city="moscow")
    row = {
        "tenant": "demo",
        "order_id": "o-1",
        "version": 3,
        "status": "accepted",
        "revision": 7,
        "document": orjson.loads(msgspec.json.encode(order_document(found))),
        "traceparent": None,
        "caused_at": NOON,
        "updated_at": NOON,
    }
    assert order_of(row) == found


def test_words_of_the_contract_are_known_here():
    from fareline_contracts import numbers, orders

    assert {each.value for each in orders.OrderStatus} == {each.value for each in OrderStatus}
    assert {each.value for each in numbers.NumberRole} - {"other"} == {each.value for each in NumberRole}
    assert {each.value for each in numbers.NumberState} - {"other"} == {each.value for each in NumberState}
