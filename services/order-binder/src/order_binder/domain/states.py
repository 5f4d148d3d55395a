"""States: words for people. Routing never asks for them, it goes by the windows and the clock."""

import enum
from datetime import datetime, timedelta

from order_binder.domain.orders import Order, OrderStatus

TOMBSTONE_AFTER = timedelta(hours=24)


class BindingState(enum.StrEnum):
    """How an order stands for whoever wants to call through it; `none` and `unroutable` are never published."""

    NONE = "none"
    UNROUTABLE = "unroutable"
    PENDING = "pending"
    ACTIVE = "active"
    GRACE = "grace"
    ENDED = "ended"


def state_at(order: Order, now: datetime) -> BindingState:
    """Return the order's state at `now`."""
    if order.unroutable is not None:
        return BindingState.UNROUTABLE
    if order.terms is None:
        return BindingState.NONE
    if order.terms.directions.ended(now):
        return BindingState.ENDED
    if now < order.terms.directions.first_opens:
        return BindingState.PENDING
    return BindingState.GRACE if order.status is OrderStatus.COMPLETED else BindingState.ACTIVE


def published_state(order: Order, now: datetime) -> BindingState:
    """Return the state that a binding record shows: a binding whose order became unroutable has ended."""
    state = state_at(order, now)
    return BindingState.ENDED if state is BindingState.UNROUTABLE else state


def next_change(order: Order, now: datetime) -> datetime | None:
    """Return when the sweeper has to look again: a window opens, the last one closes, or a tombstone is due.

    None once nothing is left that says who the parties were. An order that has terms and no binding is due as well: its
    people are to be forgotten in the same time.
    """
    if order.terms is None:
        return None
    directions = order.terms.directions
    if now < directions.first_opens and not directions.ended(now):
        return directions.first_opens
    if not directions.ended(now):
        return directions.last_closes
    return directions.last_closes + TOMBSTONE_AFTER
