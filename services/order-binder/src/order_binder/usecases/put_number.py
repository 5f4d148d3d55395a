"""Keep the inventory of proxy numbers."""

from order_binder.ports import NumberEntry, Registry


class TenantUnknown(Exception):
    """No tenant of that name."""


class PutNumber:
    """Creates or replaces a number."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry

    async def __call__(self, entry: NumberEntry) -> NumberEntry:
        """Write the number and return it with its revision.

        Raises TenantUnknown, NumberHeldElsewhere, and NumberIsAPhone: whoever's phone it is would be called through
        himself.
        """
        if await self._registry.tenant(entry.tenant) is None:
            raise TenantUnknown
        return await self._registry.put_number(entry)


class WithdrawNumber:
    """Takes a number out of the inventory."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry

    async def __call__(self, tenant: str, e164: str) -> bool:
        """Withdraw the number, False where there is none. Raises NumberInUse: drain it first."""
        return await self._registry.withdraw_number(tenant, e164)
