"""Keep the inventory of proxy numbers."""

from order_binder.domain.numbers import Inventory, Leaving, ProxyNumber
from order_binder.ports.registry import NoOtherNumber, NumberEntry, Registry
from order_binder.usecases.vacate_numbers import VacateNumbers


class TenantUnknown(Exception):
    """No tenant of that name."""


class NumberUnknown(Exception):
    """The tenant has no such number."""


class PutNumber:
    """Creates or replaces a number."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry

    async def __call__(self, entry: NumberEntry) -> NumberEntry:
        """Write the number and return it with its revision.

        Raises TenantUnknown, NumberHeldElsewhere, NumberInUse, NumberCooling, and NumberIsAPhone: whoever's phone it is
        would be called through himself.
        """
        if await self._registry.tenant(entry.tenant) is None:
            raise TenantUnknown
        return await self._registry.put_number(entry)


class WithdrawNumber:
    """Takes a number out of the inventory."""

    def __init__(self, registry: Registry, vacate: VacateNumbers) -> None:
        self._registry = registry
        self._vacate = vacate

    async def __call__(self, tenant: str, e164: str, bindings: Leaving | None) -> NumberEntry | None:
        """Withdraw the number, or return it as it stands while bindings use it.

        `bindings` says what becomes of those: they move to other numbers at once, or keep it until they have ended, and
        the sweeper withdraws it then. Raises NumberUnknown; NumberInUse where `bindings` is None and there are some;
        NoOtherNumber where they cannot move.
        """
        if bindings is None:
            if not await self._registry.withdraw_number(tenant, e164):
                raise NumberUnknown
            return None
        if bindings is Leaving.MOVE:
            await self._require_another(tenant, e164)
        left = await self._registry.leave_number(tenant, e164, bindings)
        if left is None:
            raise NumberUnknown
        await self._vacate(only=e164)
        return await self._registry.number(tenant, e164)

    async def _require_another(self, tenant: str, e164: str) -> None:
        entries = await self._registry.numbers(tenant)
        if not any(entry.e164 == e164 for entry in entries):
            raise NumberUnknown
        others = [ProxyNumber(each.e164, each.role, each.state, each.city) for each in entries if each.e164 != e164]
        if not Inventory(tuple(others)).serves_all:
            raise NoOtherNumber
