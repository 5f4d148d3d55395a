"""Everything that is replicated, behind one door for news."""

from dataclasses import dataclass, field

from call_router.domain.bindings import Binding
from call_router.domain.inventory import ProxyNumber, Tenant
from call_router.replica.bindings import BindingReplica
from call_router.replica.inventory import InventoryReplica


@dataclass(frozen=True, slots=True)
class ReplicaStore:
    """Bindings, numbers and tenants; in each the highest revision wins."""

    bindings: BindingReplica = field(default_factory=BindingReplica)
    inventory: InventoryReplica = field(default_factory=InventoryReplica)

    def put_binding(self, binding: Binding) -> bool:
        """Take a binding in; returns whether it was news."""
        return self.bindings.put(binding)

    def put_number(self, number: ProxyNumber) -> bool:
        """Take a number in; returns whether it was news."""
        return self.inventory.put_number(number)

    def put_tenant(self, tenant: Tenant) -> bool:
        """Take a tenant in; returns whether it was news."""
        return self.inventory.put_tenant(tenant)

    def drop_binding(self, tenant: str, order_id: str) -> None:
        """Forget a binding after its tombstone."""
        self.bindings.drop(tenant, order_id)

    def drop_number(self, e164: str) -> None:
        """Forget a number after its tombstone."""
        self.inventory.drop_number(e164)

    def drop_tenant(self, name: str) -> None:
        """Forget a tenant after its tombstone."""
        self.inventory.drop_tenant(name)
