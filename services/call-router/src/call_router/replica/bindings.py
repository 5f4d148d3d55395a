"""The replica of bindings: the highest revision of each, found by phone, by code and by order.

It never goes back for a key: a record of a lower revision than one seen is ignored, even after its binding dropped out.
"""

from collections import OrderedDict
from collections.abc import Iterator
from datetime import datetime, timedelta

from call_router.domain.bindings import Binding
from call_router.replica.endings import Endings
from call_router.replica.index import RowIndex
from call_router.replica.rows import pack, unpack

_TENANT_BITS = 52  # a phone has at most 15 digits, which fit below
KEPT_AFTER_END = timedelta(hours=1)
_MOST_GONE = 200_000


class BindingReplica:
    """All bindings that may still matter. Reads cost a dictionary look-up and the unpacking of a row."""

    def __init__(self) -> None:
        self._rows: list[bytes | None] = []
        self._free: list[int] = []
        self._row_of: dict[str, int] = {}
        self._revision_of_gone: OrderedDict[str, int] = OrderedDict()
        self._tenants: dict[str, int] = {}
        self._by_phone = RowIndex()
        self._by_code = RowIndex()
        self._naming: dict[str, set[int]] = {}
        self._endings = Endings()

    def __len__(self) -> int:
        return len(self._row_of)

    def put(self, binding: Binding) -> bool:
        """Take a binding in; returns whether it was newer than what was known of its order."""
        key = _key(binding.tenant, binding.order_id)
        row = self._row_of.get(key)
        if row is None:
            # A tombstone may overtake the record that it follows, so the same revision may come back.
            if binding.revision < self._revision_of_gone.get(key, 0):
                return False
            self._revision_of_gone.pop(key, None)
            row = self._new_row()
            self._row_of[key] = row
        else:
            known = self._at(row)
            if binding.revision <= known.revision:
                return False
            self._unindex(known, row)
        self._rows[row] = pack(binding)
        self._index(binding, row)
        return True

    def drop(self, tenant: str, order_id: str) -> None:
        """Forget a binding after its tombstone, but not how far its revisions went."""
        self._forget(_key(tenant, order_id))

    def drop_ended(self, now: datetime, most: int) -> int:
        """Drop up to `most` bindings that ended more than an hour ago, to the minute; returns how many dropped out."""
        due, dropped = (now - KEPT_AFTER_END).timestamp(), 0
        while dropped < most and (row := self._endings.take(due)) is not None:
            packed = self._rows[row]
            binding = None if packed is None else unpack(packed)
            if binding is not None and binding.ends_at.timestamp() <= due:
                self._forget(_key(binding.tenant, binding.order_id))
                dropped += 1
        return dropped

    def get(self, tenant: str, order_id: str) -> Binding | None:
        """Return the binding of one order."""
        row = self._row_of.get(_key(tenant, order_id))
        return None if row is None else self._at(row)

    def of_phone(self, tenant: str, phone: str) -> list[Binding]:
        """Return the tenant's bindings in which `phone` (E.164) is a party's."""
        number = self._tenants.get(tenant)
        return [] if number is None else [self._at(row) for row in self._by_phone.get(_phone_key(number, phone))]

    def of_code(self, tenant: str, code: str) -> list[Binding]:
        """Return the tenant's bindings one of whose codes is `code`."""
        number = self._tenants.get(tenant)
        return [] if number is None else [self._at(row) for row in self._by_code.get(_code_key(number, code))]

    def naming(self, e164: str, now: datetime) -> str | None:
        """Return the tenant of a live binding that names `e164`."""
        bindings = map(self._at, self._naming.get(e164, ()))
        return next((binding.tenant for binding in bindings if binding.live(now)), None)

    def rows(self, start: int, most: int) -> tuple[list[bytes], int | None]:
        """Return packed bindings from place `start` on, `most` places of them, and the place to go on at, if any.

        The replica may change between two calls: what moves to a place that was passed is news, which Kafka has.
        """
        behind = start + most
        packed = [row for row in self._rows[start:behind] if row is not None]
        return packed, behind if behind < len(self._rows) else None

    def all(self) -> Iterator[Binding]:
        """Yield every binding; the replica must not change meanwhile."""
        return (unpack(row) for row in self._rows if row is not None)

    def _at(self, row: int) -> Binding:
        packed = self._rows[row]
        assert packed is not None
        return unpack(packed)

    def _new_row(self) -> int:
        if self._free:
            return self._free.pop()
        self._rows.append(None)
        return len(self._rows) - 1

    def _forget(self, key: str) -> None:
        row = self._row_of.pop(key, None)
        if row is None:
            return
        binding = self._at(row)
        self._unindex(binding, row)
        self._rows[row] = None
        self._free.append(row)
        self._revision_of_gone[key] = binding.revision
        if len(self._revision_of_gone) > _MOST_GONE:
            self._revision_of_gone.popitem(last=False)

    def _index(self, binding: Binding, row: int) -> None:
        tenant = self._tenants.setdefault(binding.tenant, len(self._tenants) + 1)
        for party in (binding.driver, binding.client):
            for phone in party.phones:
                self._by_phone.add(_phone_key(tenant, phone), row)
            if party.code is not None:
                self._by_code.add(_code_key(tenant, party.code), row)
        self._naming.setdefault(binding.number, set()).add(row)
        self._endings.add(binding.ends_at.timestamp(), row)

    def _unindex(self, binding: Binding, row: int) -> None:
        tenant = self._tenants[binding.tenant]
        for party in (binding.driver, binding.client):
            for phone in party.phones:
                self._by_phone.remove(_phone_key(tenant, phone), row)
            if party.code is not None:
                self._by_code.remove(_code_key(tenant, party.code), row)
        self._naming[binding.number].discard(row)
        if not self._naming[binding.number]:
            del self._naming[binding.number]


def _key(tenant: str, order_id: str) -> str:
    return f"{tenant}/{order_id}"


def _phone_key(tenant: int, phone: str) -> int:
    return (tenant << _TENANT_BITS) | int(phone)  # which reads a plus sign as it should


def _code_key(tenant: int, code: str) -> int:
    """Return a key in which leading zeros count: a one is put before the digits."""
    return (tenant << _TENANT_BITS) | int(f"1{code}")
