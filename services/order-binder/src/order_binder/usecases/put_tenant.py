"""Keep tenants and their policy."""

import re

from order_binder.domain.phones import known_region
from order_binder.ports.registry import Registry, TenantEntry

_PREFIX = re.compile(r"\+[1-9][0-9]{0,14}")


class TenantUnusable(Exception):
    """With such a document no order of the tenant could ever be called; `place` is the path of the field."""

    def __init__(self, place: str, detail: str) -> None:
        super().__init__(f"{place}: {detail}")
        self.place = place
        self.detail = detail


class PutTenant:
    """Creates or replaces a tenant."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry

    async def __call__(self, entry: TenantEntry) -> TenantEntry:
        """Write the tenant and return it with its revision.

        Decisions taken from now on follow the new policy; bindings that exist take it over with their next revision.
        Raises TenantUnusable.
        """
        if not known_region(entry.region):
            raise TenantUnusable("region", "is no country whose phones are known")
        for place, prefix in enumerate(entry.policy.get("allowed_prefixes", ())):
            if not _PREFIX.fullmatch(prefix):
                raise TenantUnusable(f"policy/allowed_prefixes/{place}", "must be a plus sign and digits, such as +7")
        return await self._registry.put_tenant(entry)
