"""Orders as rows: columns for what is searched by, one JSON document for the rest. Times become text on the way."""

from datetime import datetime
from typing import Any

from asyncpg import Record

from order_binder.domain.orders import Allocation, Order, OrderKey, OrderStatus, Person, Role, Terms, Unroutable
from order_binder.domain.policy import CallTerms
from order_binder.domain.slots import Hold, Slot
from order_binder.domain.windows import Directions, Window

Json = dict[str, Any]


def order_document(order: Order) -> Json:
    """Return what of an order has no column of its own."""
    return {
        "since": order.status_changed_at,
        "city": order.city,
        "unroutable": order.unroutable,
        "terms": None if order.terms is None else _terms(order.terms),
        "allocation": None if order.allocation is None else _allocation(order.allocation),
    }


def order_of(row: Record) -> Order:
    """Return the order of a row that has the columns of `lock_orders`."""
    document = row["document"]
    terms, allocation = document["terms"], document["allocation"]
    return Order(
        key=OrderKey(row["tenant"], row["order_id"]),
        version=row["version"],
        status=OrderStatus(row["status"]),
        status_changed_at=datetime.fromisoformat(document["since"]),
        caused_at=row["caused_at"],
        revision=row["revision"],
        terms=None if terms is None else _terms_of(terms),
        allocation=None if allocation is None else Allocation(**allocation),
        unroutable=None if document["unroutable"] is None else Unroutable(document["unroutable"]),
        city=document["city"],
        traceparent=row["traceparent"],
        updated_at=row["updated_at"],
    )


def holds_document(slot: Slot) -> Json:
    """Return the holds of a slot: {order: [until, wished]}."""
    return {holder: [hold.until, hold.wished] for holder, hold in slot.holds.items()}


def slot_of(row: Record) -> Slot:
    """Return the slot of a row."""
    holds = {
        holder: Hold(datetime.fromisoformat(until), datetime.fromisoformat(wished))
        for holder, (until, wished) in row["holds"].items()
    }
    return Slot(row["number"], row["phone"], row["peer"], holds, row["stamp"])


def _terms(terms: Terms) -> Json:
    call = terms.call
    return {
        "driver": _person(terms.driver),
        "client": _person(terms.client),
        "driver_to_client": _window(terms.directions.driver_to_client),
        "client_to_driver": _window(terms.directions.client_to_driver),
        "call": {name: getattr(call, name) for name in CallTerms.__slots__},
    }


def _terms_of(found: Json) -> Terms:
    return Terms(
        driver=_person_of(Role.DRIVER, found["driver"]),
        client=_person_of(Role.CLIENT, found["client"]),
        directions=Directions(_window_of(found["driver_to_client"]), _window_of(found["client_to_driver"])),
        call=CallTerms(**found["call"]),
    )


def _person(person: Person) -> Json:
    return {"id": person.id, "phones": person.phones, "label": person.label}


def _person_of(role: Role, found: Json) -> Person:
    return Person(role=role, phones=tuple(found["phones"]), id=found["id"], label=found["label"])


def _window(window: Window) -> list[object]:
    return [window.opens_at, window.closes_at, window.allowed]


def _window_of(found: list[Any]) -> Window:
    return Window(datetime.fromisoformat(found[0]), datetime.fromisoformat(found[1]), found[2])


def _allocation(allocation: Allocation) -> Json:
    return {name: getattr(allocation, name) for name in Allocation.__slots__}
