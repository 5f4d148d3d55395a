"""The replica of numbers and tenants: the highest revision of each."""

from call_router.domain.inventory import NumberRole, ProxyNumber, Tenant


class InventoryReplica:
    """All numbers and tenants. A tombstone removes one, but not the memory of its revision."""

    def __init__(self) -> None:
        self._numbers: dict[str, ProxyNumber] = {}
        self._tenants: dict[str, Tenant] = {}
        self._revisions: dict[str, int] = {}
        self._mains: dict[str, str] = {}

    def put_number(self, number: ProxyNumber) -> bool:
        """Take a number in; returns whether it was newer than what was known of it."""
        if number.revision <= self._revisions.get(number.e164, -1):
            return False
        self._revisions[number.e164] = number.revision
        self._numbers[number.e164] = number
        self._find_mains()
        return True

    def put_tenant(self, tenant: Tenant) -> bool:
        """Take a tenant in; returns whether it was newer than what was known of it."""
        if tenant.revision <= self._revisions.get(tenant.name, -1):
            return False
        self._revisions[tenant.name] = tenant.revision
        self._tenants[tenant.name] = tenant
        return True

    def drop_number(self, e164: str) -> None:
        """Forget a number after its tombstone."""
        self._numbers.pop(e164, None)
        self._find_mains()

    def drop_tenant(self, name: str) -> None:
        """Forget a tenant after its tombstone."""
        self._tenants.pop(name, None)

    def number(self, e164: str) -> ProxyNumber | None:
        """Return one of our numbers."""
        return self._numbers.get(e164)

    def tenant(self, name: str) -> Tenant | None:
        """Return a tenant."""
        return self._tenants.get(name)

    def main_number(self, tenant: str) -> str | None:
        """Return a main number of the tenant, the lowest if there are several."""
        return self._mains.get(tenant)

    def numbers(self) -> list[ProxyNumber]:
        """Return all numbers."""
        return list(self._numbers.values())

    def tenants(self) -> list[Tenant]:
        """Return all tenants."""
        return list(self._tenants.values())

    @property
    def sizes(self) -> tuple[int, int]:
        """How many numbers and tenants are known."""
        return len(self._numbers), len(self._tenants)

    def _find_mains(self) -> None:
        mains = sorted((number for number in self._numbers.values() if number.role is NumberRole.MAIN), key=_by_e164)
        self._mains = {number.tenant: number.e164 for number in reversed(mains)}


def _by_e164(number: ProxyNumber) -> str:
    return number.e164
