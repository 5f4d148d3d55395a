"""Orders as the apps and call-router read them."""

from datetime import datetime
from typing import Protocol

from order_binder.domain.orders import Order, OrderKey
from order_binder.domain.values import Value


class Found(Value, frozen=True):
    """Orders with their state, and the times that say how fresh the answer is; `input_as_of` is None while unknown."""

    orders: tuple[Order, ...]
    as_of: datetime
    input_as_of: datetime | None


class BindingReader(Protocol):
    """Reads of orders that take no lock."""

    async def order(self, key: OrderKey) -> tuple[Order | None, datetime]:
        """Return an order and the database's time."""

    async def find(self, tenant: str, *, phone: str | None, code: str | None, limit: int) -> Found:
        """Return the tenant's orders with a binding, not ended, that name the phone or the code; latest first."""
