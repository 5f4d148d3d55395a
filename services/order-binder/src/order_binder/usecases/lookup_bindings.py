"""Look up bindings for a call that call-router cannot be sure about."""

from order_binder.domain.values import Value
from order_binder.ports.reading import BindingReader, Found
from order_binder.ports.registry import NumberEntry, Registry, TenantEntry

MAX_BINDINGS = 200


class LookedUp(Value, frozen=True):
    """Bindings that the phone or the code belongs to, with the tenant and, if it is the tenant's, the number."""

    found: Found
    tenant: TenantEntry | None
    number: NumberEntry | None


class LookupBindings:
    """Answers from the database what a replica may not have yet."""

    def __init__(self, reader: BindingReader, registry: Registry) -> None:
        self._reader = reader
        self._registry = registry

    async def __call__(self, tenant: str, *, number: str | None, phone: str | None, code: str | None) -> LookedUp:
        """Return the bindings of `tenant`, not ended, in which `phone` is a party's or `code` is one of the two."""
        return LookedUp(
            found=await self._reader.find(tenant, phone=phone, code=code, limit=MAX_BINDINGS),
            tenant=await self._registry.tenant(tenant),
            number=await self._registry.number(tenant, number) if number else None,
        )
