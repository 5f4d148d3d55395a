"""Submit snapshots over HTTPS: the door for platforms without Kafka."""

from collections.abc import Sequence

from order_binder.ports.door import OrderSink, SubmittedSnapshot
from order_binder.ports.registry import Registry
from order_binder.usecases.put_number import TenantUnknown


class SubmitOrders:
    """Hands snapshots to the topic that all order events come from; they are processed from there."""

    def __init__(self, sink: OrderSink, registry: Registry) -> None:
        self._sink = sink
        self._registry = registry

    async def __call__(self, tenant: str, snapshots: Sequence[SubmittedSnapshot]) -> None:
        """Return when all snapshots are safe; repeating the call does no harm. Raises TenantUnknown."""
        if await self._registry.tenant(tenant) is None:
            raise TenantUnknown
        await self._sink.submit(snapshots)
