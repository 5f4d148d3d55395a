"""The value of a binding record, as the contract's model would write it, at a tenth of the cost.

A test holds both to the same bytes. Values are not judged again here: what the domain makes is within the contract.
"""

from datetime import datetime

import msgspec

from order_binder.domain.orders import Allocation, Order, Person, Terms
from order_binder.domain.states import published_state
from order_binder.domain.windows import Directions, Window


class _Struct(msgspec.Struct, frozen=True, gc=False):
    pass


class _Party(_Struct, frozen=True):
    id: str | None
    phones: tuple[str, ...]
    label: str | None
    code: str


class _Parties(_Struct, frozen=True):
    driver: _Party
    client: _Party


class _Direction(_Struct, frozen=True):
    opens_at: datetime
    closes_at: datetime
    allowed: bool


class _Directions(_Struct, frozen=True):
    driver_to_client: _Direction
    client_to_driver: _Direction


class _Announce(_Struct, frozen=True):
    client: str | None
    driver: str | None


class _CallPolicy(_Struct, frozen=True):
    caller_id: str
    record: bool
    announce: _Announce
    ring_timeout_s: int
    max_duration_s: int


class _Binding(_Struct, frozen=True):
    tenant: str
    order_id: str
    revision: int
    order_version: int
    state: str
    order_status: str
    status_changed_at: datetime
    number: str
    parties: _Parties
    directions: _Directions
    call_policy: _CallPolicy
    caused_at: datetime
    updated_at: datetime


def binding_json(order: Order, now: datetime) -> bytes | None:
    """Return the binding of an order as others see it, JSON in UTF-8; None for an order that has none.

    `now` is the time, in UTC, at which the state is told; an order without a time of its own is dated by it as well.
    """
    terms, allocation = order.terms, order.allocation
    if terms is None or allocation is None:
        return None
    return msgspec.json.encode(_binding(order, terms, allocation, now))


def _binding(order: Order, terms: Terms, allocation: Allocation, now: datetime) -> _Binding:
    return _Binding(
        tenant=order.key.tenant,
        order_id=order.key.order_id,
        revision=order.revision,
        order_version=order.version,
        state=published_state(order, now),
        order_status=order.status,
        status_changed_at=order.status_changed_at,
        number=allocation.number,
        parties=_Parties(_party(terms.driver, allocation.driver_code), _party(terms.client, allocation.client_code)),
        directions=_directions(terms.directions),
        call_policy=_call_policy(terms, allocation.number),
        caused_at=order.caused_at,
        updated_at=order.updated_at or now,
    )


def _party(person: Person, code: str) -> _Party:
    return _Party(person.id, person.phones, person.label, code)


def _directions(found: Directions) -> _Directions:
    return _Directions(_direction(found.driver_to_client), _direction(found.client_to_driver))


def _direction(window: Window) -> _Direction:
    return _Direction(window.opens_at, window.closes_at, window.allowed)


def _call_policy(terms: Terms, number: str) -> _CallPolicy:
    call = terms.call
    announce = _Announce(call.announce_client, call.announce_driver)
    return _CallPolicy(number, call.record, announce, call.ring_timeout_s, call.max_duration_s)
