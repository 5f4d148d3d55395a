"""Where snapshots that came over HTTPS go."""

from collections.abc import Sequence
from typing import Protocol

from order_binder.domain.orders import OrderKey
from order_binder.domain.values import Value


class SubmittedSnapshot(Value, frozen=True):
    """A valid snapshot as JSON, with the trace of the request that brought it."""

    key: OrderKey
    version: int
    value: bytes
    traceparent: str | None = None


class OrderSink(Protocol):
    """Where snapshots that came over HTTPS go."""

    async def submit(self, snapshots: Sequence[SubmittedSnapshot]) -> None:
        """Hand over snapshots; returns when they are safe."""
