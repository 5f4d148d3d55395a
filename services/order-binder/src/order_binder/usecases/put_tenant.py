"""Keep tenants and their policy."""

from order_binder.ports import Registry, TenantEntry


class PutTenant:
    """Creates or replaces a tenant."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry

    async def __call__(self, entry: TenantEntry) -> TenantEntry:
        """Write the tenant and return it with its revision.

        Decisions taken from now on follow the new policy; bindings that exist take it over with their next revision.
        """
        return await self._registry.put_tenant(entry)
