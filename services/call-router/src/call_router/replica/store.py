"""Everything that the router knows, behind one door for news and one view for decisions."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from call_router.domain.bindings import Binding
from call_router.domain.inventory import ProxyNumber, Tenant
from call_router.domain.phone_reader import PhoneReader
from call_router.domain.view import View
from call_router.replica.bindings import BindingReplica
from call_router.replica.calls import CallsMemory
from call_router.replica.codes import CodeLengths
from call_router.replica.inventory import InventoryReplica
from call_router.replica.recent import RecentCallsMemory
from call_router.replica.rows import unpack


@dataclass(slots=True)
class Contents:
    """Bindings, numbers and tenants, where the highest revision wins: what the compacted topics hold."""

    bindings: BindingReplica = field(default_factory=BindingReplica)
    inventory: InventoryReplica = field(default_factory=InventoryReplica)
    codes: CodeLengths = field(default_factory=CodeLengths)

    def put_binding(self, binding: Binding) -> bool:
        """Take a binding in; returns whether it was news."""
        news = self.bindings.put(binding)
        if news:
            self.codes.note(binding)
        return news

    def put_row(self, row: bytes) -> None:
        """Take a binding in that was packed into a row; raises msgspec.MsgspecError for anything else."""
        self.put_binding(unpack(row))

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


class ReplicaStore:
    """What the topics hold, and the memory of calls.

    While the contents are loaded anew `beside` the old ones, decisions go by the old, and order-binder's answers into
    both.
    """

    def __init__(self, *, recent: RecentCallsMemory | None = None, calls: CallsMemory | None = None) -> None:
        self.recent = RecentCallsMemory() if recent is None else recent
        self.calls = CallsMemory() if calls is None else calls
        self._phones = PhoneReader()
        self._loading: Contents | None = None
        self._serve(Contents())

    @property
    def contents(self) -> Contents:
        """What decisions go by now."""
        return self._contents

    @property
    def bindings(self) -> BindingReplica:
        """The bindings that decisions go by now."""
        return self._contents.bindings

    @property
    def inventory(self) -> InventoryReplica:
        """The numbers and tenants that decisions go by now."""
        return self._contents.inventory

    def beside(self) -> Contents:
        """Return empty contents, to be loaded while the old ones serve; a load that was broken off is forgotten."""
        self._loading = Contents()
        return self._loading

    def serve_loaded(self) -> None:
        """Let decisions go by what was loaded beside, from now on."""
        loaded, self._loading = self._loading, None
        if loaded is not None:
            self._serve(loaded)

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
        if self._loading is not None:
            self._loading.put_binding(binding)
        return self._contents.put_binding(binding)

    def put_number(self, number: ProxyNumber) -> bool:
        """Take a number in; returns whether it was news."""
        if self._loading is not None:
            self._loading.put_number(number)
        return self._contents.put_number(number)

    def put_tenant(self, tenant: Tenant) -> bool:
        """Take a tenant in; returns whether it was news."""
        if self._loading is not None:
            self._loading.put_tenant(tenant)
        return self._contents.put_tenant(tenant)

    def drop_binding(self, tenant: str, order_id: str) -> None:
        """Forget a binding after its tombstone."""
        self._contents.drop_binding(tenant, order_id)

    def drop_number(self, e164: str) -> None:
        """Forget a number after its tombstone."""
        self._contents.drop_number(e164)

    def drop_tenant(self, name: str) -> None:
        """Forget a tenant after its tombstone."""
        self._contents.drop_tenant(name)

    def drop_ended(self, now: datetime, most: int) -> int:
        """Drop up to `most` bindings that are over for good; returns how many dropped out."""
        return self._contents.bindings.drop_ended(now, most)

    def _serve(self, contents: Contents) -> None:
        self._contents = contents
        self.view = View(contents.inventory, contents.bindings, self.recent, contents.codes, self._phones)
