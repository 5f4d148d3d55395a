"""Codes: the extensions that people dial when their phone does not say who they are."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise

from order_binder.domain.orders import Order, Role

EMERGENCY = ("101", "102", "103", "112", "911")
MAX_DIGITS = 8
CROWDED = 0.02
_RUN = 5
_TRIES = 100

DrawBelow = Callable[[int], int]
"""Returns a number from 0 to its argument, that one excluded; cryptographically random outside tests."""


class CodesExhausted(Exception):
    """Too few free codes could be drawn for a tenant: its space of codes is far too full."""

    def __init__(self, tenant: str) -> None:
        super().__init__(f"no free code was drawn for tenant {tenant}")


@dataclass(frozen=True, slots=True)
class CodeHold:
    """One code of an order: whose it is, and until when nobody else may have it."""

    tenant: str
    code: str
    order_id: str
    role: Role
    until: datetime


def acceptable(code: str) -> bool:
    """Whether a code may be handed out: no five equal or running digits in a row, and no emergency call in front."""
    if code.startswith(EMERGENCY):
        return False
    digits = [int(char) for char in code]
    for start in range(len(digits) - _RUN + 1):
        steps = {after - before for before, after in pairwise(digits[start : start + _RUN])}
        if steps in ({0}, {1}, {-1}):
            return False
    return True


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
