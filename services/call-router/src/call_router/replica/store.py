"""Everything that the router knows, behind one door for news and one view for decisions."""

from collections.abc import Callable
from dataclasses import dataclass, field

from call_router.domain.bindings import Binding
from call_router.domain.inventory import ProxyNumber, Tenant
from call_router.domain.view import View
from call_router.replica.bindings import BindingReplica
from call_router.replica.calls import CallsMemory
from call_router.replica.inventory import InventoryReplica
from call_router.replica.recent import RecentCallsMemory


@dataclass(frozen=True, slots=True)
class ReplicaStore:
    """Bindings, numbers and tenants, where the highest revision wins; and this process's own calls."""

    bindings: BindingReplica = field(default_factory=BindingReplica)
    inventory: InventoryReplica = field(default_factory=InventoryReplica)
    recent: RecentCallsMemory = field(default_factory=RecentCallsMemory)
    calls: CallsMemory = field(default_factory=CallsMemory)

    @property
    def view(self) -> View:
        """What decisions look at."""
        return View(self.inventory, self.bindings, self.recent)

    def readings(self) -> dict[str, tuple[str, Callable[[], float]]]:
        """Return what is worth a gauge: name, text and function."""
        return {
            "bindings": ("Bindings in the replica.", lambda: len(self.bindings)),
            "numbers": ("Numbers in the replica.", lambda: self.inventory.sizes[0]),
            "tenants": ("Tenants in the replica.", lambda: self.inventory.sizes[1]),
            "recent_attempts": ("Attempts remembered.", lambda: len(self.recent)),
        }

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
