"""Orders and slots as rows: columns for what is searched by, one JSON document for the rest."""

from collections.abc import Mapping
from datetime import datetime

import msgspec
from asyncpg import Record

from order_binder.domain.orders import Allocation, Order, OrderKey, OrderStatus, Person, Role, Terms, Unroutable
from order_binder.domain.policy import CallTerms
from order_binder.domain.slots import Hold, Slot
from order_binder.domain.windows import Directions, Window


class _Person(msgspec.Struct, frozen=True, gc=False):
    id: str | None
    phones: tuple[str, ...]
    label: str | None


class _Window(msgspec.Struct, frozen=True, gc=False, array_like=True):
    opens_at: datetime
    closes_at: datetime
    allowed: bool


class _Terms(msgspec.Struct, frozen=True, gc=False):
    driver: _Person
    client: _Person
    driver_to_client: _Window
    client_to_driver: _Window
    call: CallTerms


class OrderDocument(msgspec.Struct, frozen=True, gc=False):
    """What of an order has no column of its own; written by msgspec as JSON, times in ISO 8601."""

    since: datetime
    city: str | None
    unroutable: Unroutable | None
    terms: _Terms | None
    allocation: Allocation | None


class HoldDocument(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """One hold on a slot: until when nobody else may have it, and until when nobody should."""

    until: datetime
    wished: datetime


_ORDER = msgspec.json.Decoder(OrderDocument)
_HOLDS = msgspec.json.Decoder(dict[str, HoldDocument])


def order_document(order: Order) -> OrderDocument:
    """Return the document of an order."""
    return OrderDocument(
        since=order.status_changed_at,
        city=order.city,
        unroutable=order.unroutable,
        terms=None if order.terms is None else _terms(order.terms),
        allocation=order.allocation,
    )


def order_of(row: Record) -> Order:
    """Return the order of a row that has the columns of `lock_orders`; its document may be text, or parsed already."""
    written = row["document"]
    document = _ORDER.decode(written) if isinstance(written, str) else msgspec.convert(written, OrderDocument)
    return Order(
        key=OrderKey(row["tenant"], row["order_id"]),
        version=row["version"],
        status=OrderStatus(row["status"]),
        status_changed_at=document.since,
        caused_at=row["caused_at"],
        revision=row["revision"],
        terms=None if document.terms is None else _terms_of(document.terms),
        allocation=document.allocation,
        unroutable=document.unroutable,
        city=document.city,
        traceparent=row["traceparent"],
        updated_at=row["updated_at"],
    )


def holds_document(slot: Slot) -> Mapping[str, HoldDocument]:
    """Return the holds of a slot, by the order that holds it."""
    return {holder: HoldDocument(hold.until, hold.wished) for holder, hold in slot.holds.items()}


def slot_of(row: Record) -> Slot:
    """Return the slot of a row of `held`."""
    holds = {holder: Hold(hold.until, hold.wished) for holder, hold in _HOLDS.decode(row["holds"]).items()}
    return Slot(row["number"], row["phone"], row["peer"], holds, row["stamp"])


def _terms(terms: Terms) -> _Terms:
    return _Terms(
        driver=_person(terms.driver),
        client=_person(terms.client),
        driver_to_client=_window(terms.directions.driver_to_client),
        client_to_driver=_window(terms.directions.client_to_driver),
        call=terms.call,
    )


def _terms_of(found: _Terms) -> Terms:
    return Terms(
        driver=Person(Role.DRIVER, found.driver.phones, found.driver.id, found.driver.label),
        client=Person(Role.CLIENT, found.client.phones, found.client.id, found.client.label),
        directions=Directions(_window_of(found.driver_to_client), _window_of(found.client_to_driver)),
        call=found.call,
    )


def _person(person: Person) -> _Person:
    return _Person(person.id, person.phones, person.label)


def _window(window: Window) -> _Window:
    return _Window(window.opens_at, window.closes_at, window.allowed)


def _window_of(found: _Window) -> Window:
    return Window(found.opens_at, found.closes_at, found.allowed)
