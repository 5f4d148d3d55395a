"""Codes: the extensions that people dial when their phone does not say who they are."""

import re
from collections.abc import Callable
from datetime import datetime, timedelta

from order_binder.domain.orders import Order, Role
from order_binder.domain.values import Value

EMERGENCY = ("101", "102", "103", "112", "911")
MAX_DIGITS = 8
CROWDED = 0.02
_RUN = 5
_DIGITS = "0123456789"
_RUNS = (
    *(digit * _RUN for digit in _DIGITS),
    *(line[start : start + _RUN] for line in (_DIGITS, _DIGITS[::-1]) for start in range(len(_DIGITS) - _RUN + 1)),
)
_UNACCEPTABLE = re.compile(f"^(?:{'|'.join(EMERGENCY)})|{'|'.join(_RUNS)}")
_TRIES = 100

DrawBelow = Callable[[int], int]
"""Returns a number from 0 to its argument, that one excluded; cryptographically random outside tests."""


class CodesExhausted(Exception):
    """Too few free codes could be drawn for a tenant: its space of codes is far too full."""

    def __init__(self, tenant: str) -> None:
        super().__init__(f"no free code was drawn for tenant {tenant}")


class CodeHold(Value, frozen=True):
    """One code of an order: whose it is, and until when nobody else may have it."""

    tenant: str
    code: str
    order_id: str
    role: Role
    until: datetime


def acceptable(code: str) -> bool:
    """Whether a code may be handed out: no five equal or running digits in a row, and no emergency call in front."""
    return _UNACCEPTABLE.search(code) is None


def code_digits(wanted: int, live: int) -> int:
    """Return how many digits new codes need so that at most 2 % of all codes are live."""
    digits = wanted
    while digits < MAX_DIGITS and live > CROWDED * 10**digits:
        digits += 1
    return digits


def draw_codes(count: int, digits: int, below: DrawBelow) -> list[str]:
    """Return `count` different random codes that are acceptable; whether somebody has them is not known yet."""
    drawn: dict[str, None] = {}
    for _ in range(count * _TRIES):
        if len(drawn) == count:
            break
        code = f"{below(10**digits):0{digits}d}"
        if acceptable(code):
            drawn[code] = None
    return list(drawn)


def code_holds(before: Order | None, after: Order, now: datetime, cool_down: timedelta) -> list[CodeHold]:
    """Return the codes that a change of an order holds: its present ones, and former ones that have to rest.

    An order that had ended before and has not come back holds nothing new; and codes it had when it ended are somebody
    else's by now, or are resting already.
    """
    was_live = before is not None and not before.ended(now)
    if after.ended(now) and not was_live:
        return []
    holds: dict[str, CodeHold] = {}

    def hold(order: Order | None, until: datetime) -> None:
        if order is None or order.allocation is None:
            return
        found = order.allocation
        for role, code in ((Role.DRIVER, found.driver_code), (Role.CLIENT, found.client_code)):
            holds[code] = CodeHold(order.key.tenant, code, order.key.order_id, role, until)

    if was_live:
        hold(before, now + cool_down)
    if after.terms is not None:
        hold(after, max(after.terms.directions.last_closes, now) + cool_down)
    return list(holds.values())
