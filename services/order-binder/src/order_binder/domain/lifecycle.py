"""The life of a binding: from one snapshot to the next."""

import enum
from datetime import datetime

from order_binder.domain.orders import CALLABLE, Order, OrderStatus, Person, Snapshot, Terms, Unroutable
from order_binder.domain.policy import Policy
from order_binder.domain.values import Value, replace
from order_binder.domain.windows import Directions, Timing, Window, grace_windows, open_windows


class Outcome(enum.StrEnum):
    """What a snapshot did."""

    STALE = "stale"
    RECORDED = "recorded"
    OPENED = "opened"
    CHANGED = "changed"
    REASSIGNED = "reassigned"
    GRACE = "grace"
    ENDED = "ended"
    UNROUTABLE = "unroutable"


class Decision(Value, frozen=True):
    """What a snapshot did and the order as it stands after it; for a stale one that is the order as it stood."""

    outcome: Outcome
    order: Order


def decide(current: Order | None, snapshot: Snapshot, policy: Policy, now: datetime) -> Decision:
    """Return the order that follows from `current` by `snapshot`.

    A snapshot whose version is not higher changes nothing, whatever it says. No number and no code is chosen here.
    """
    if current is not None and snapshot.version <= current.version:
        return Decision(Outcome.STALE, current)
    noted = _noted(current, snapshot)
    driver = _driver_meant(current, snapshot)
    if driver is None or snapshot.status not in CALLABLE:
        return _stopped(noted, now)
    directions = _directions(noted, snapshot, driver, policy, now)
    if directions.ended(now):
        return _lapsed(noted, driver, directions, now)
    reason = _unusable(driver, snapshot.client)
    if reason is not None:
        return Decision(Outcome.UNROUTABLE, replace(_closed(noted, now), unroutable=reason))
    call = policy.calls if snapshot.consent_record else replace(policy.calls, record=False)
    terms = Terms(driver=driver, client=snapshot.client, directions=directions, call=call)
    return Decision(_what_happened(current, terms, snapshot, now), replace(noted, terms=terms))


def _noted(current: Order | None, snapshot: Snapshot) -> Order:
    return Order(
        key=snapshot.key,
        version=snapshot.version,
        status=snapshot.status,
        status_changed_at=snapshot.status_changed_at,
        caused_at=snapshot.caused_at,
        city=snapshot.city,
        traceparent=snapshot.traceparent,
        revision=current.revision if current else 0,
        terms=current.terms if current else None,
        allocation=current.allocation if current else None,
    )


def _driver_meant(current: Order | None, snapshot: Snapshot) -> Person | None:
    """Return the driver the snapshot names; a completed order that names none means the one bound last."""
    if snapshot.driver is not None or snapshot.status is not OrderStatus.COMPLETED:
        return snapshot.driver
    return current.terms.driver if current is not None and current.terms is not None else None


def _unusable(driver: Person, client: Person) -> Unroutable | None:
    if not client.phones:
        return Unroutable.CLIENT_WITHOUT_PHONE
    if not driver.phones:
        return Unroutable.DRIVER_WITHOUT_PHONE
    if not set(driver.phones).isdisjoint(client.phones):
        return Unroutable.SAME_PHONE
    return None


def _directions(noted: Order, snapshot: Snapshot, driver: Person, policy: Policy, now: datetime) -> Directions:
    timing = Timing(since=snapshot.status_changed_at, scheduled_for=snapshot.scheduled_for, now=now)
    if snapshot.status is OrderStatus.COMPLETED:
        same = noted.terms is not None and _same_pair(noted.terms, driver, snapshot.client)
        previous = noted.terms.directions if same and noted.terms is not None else None
        found = grace_windows(timing, policy.windows, previous)
    else:
        found = open_windows(timing, policy.windows, at_once=snapshot.status is not OrderStatus.ACCEPTED)
    to_client, to_driver = found.driver_to_client, found.client_to_driver
    return Directions(
        driver_to_client=Window(to_client.opens_at, to_client.closes_at, snapshot.driver_may_call),
        client_to_driver=Window(to_driver.opens_at, to_driver.closes_at, snapshot.client_may_call),
    )


def _same_pair(terms: Terms, driver: Person, client: Person) -> bool:
    return terms.driver.key == driver.key and terms.client.key == client.key


def _stopped(noted: Order, now: datetime) -> Decision:
    """Close both windows at once, for new calls; an order that has ended already only takes note."""
    return Decision(Outcome.RECORDED if noted.ended(now) else Outcome.ENDED, _closed(noted, now))


def _closed(noted: Order, now: datetime) -> Order:
    if noted.terms is None:
        return noted
    return replace(noted, terms=replace(noted.terms, directions=noted.terms.directions.closed_at(now)))


def _lapsed(noted: Order, driver: Person, directions: Directions, now: datetime) -> Decision:
    """Take note of a snapshot whose grace or cap has passed: it opens nothing, and ends what was open."""
    if noted.terms is None or noted.terms.directions.ended(now):
        return Decision(Outcome.RECORDED, noted)
    if noted.terms.driver.key != driver.key:
        directions = noted.terms.directions.closed_at(now)
    return Decision(Outcome.ENDED, replace(noted, terms=replace(noted.terms, directions=directions)))


def _what_happened(current: Order | None, terms: Terms, snapshot: Snapshot, now: datetime) -> Outcome:
    if snapshot.status is OrderStatus.COMPLETED:
        return Outcome.GRACE
    if current is None or current.terms is None or current.ended(now):
        return Outcome.OPENED
    return Outcome.CHANGED if current.terms.driver.key == terms.driver.key else Outcome.REASSIGNED
