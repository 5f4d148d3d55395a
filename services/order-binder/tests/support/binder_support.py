"""Builders of the values that order-binder's tests speak in."""

import random
from datetime import UTC, datetime, timedelta

from order_binder.domain.numbers import Inventory, NumberRole, NumberState, ProxyNumber
from order_binder.domain.orders import OrderKey, OrderStatus, Person, Role, Snapshot
from order_binder.domain.policy import Policy

NOON = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
RU = Policy(region="RU")
D1, D2, D3 = "+79031112233", "+79032223344", "+79033334455"
C1, C2, C3 = "+79261234567", "+79262345678", "+79263456789"
MAIN = "+74950000001"
POOL = tuple(f"+749500001{index:02d}" for index in range(1, 11))
HOUR = timedelta(hours=1)
MINUTE = timedelta(minutes=1)


def driver(*phones: str, person: str | None = "d-1") -> Person:
    return Person(Role.DRIVER, phones or (D1,), id=person)


def client(*phones: str, person: str | None = "c-1") -> Person:
    return Person(Role.CLIENT, phones or (C1,), id=person)


def snapshot(version: int, status: str, **changes) -> Snapshot:
    """Return a snapshot of order o-1: by default driver d-1 (named from `accepted` on) and client c-1, since noon."""
    named = status in {"accepted", "arrived", "in_progress", "completed"}
    known = {
        "key": OrderKey("demo", "o-1"),
        "version": version,
        "status": OrderStatus(status),
        "status_changed_at": NOON,
        "client": client(),
        "caused_at": NOON,
        "driver": driver() if named else None,
    }
    return Snapshot(**{**known, **changes})


def inventory(*, pool: int = 10, main: bool = True, state: NumberState = NumberState.ACTIVE) -> Inventory:
    numbers = [ProxyNumber(e164, NumberRole.POOL, state) for e164 in POOL[:pool]]
    if main:
        numbers.append(ProxyNumber(MAIN, NumberRole.MAIN))
    return Inventory(tuple(numbers))


def seeded(seed: int = 1):
    """Return a repeatable source of random numbers."""
    return random.Random(seed).randrange
