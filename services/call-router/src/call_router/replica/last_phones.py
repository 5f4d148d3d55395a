"""The phone that each side of an order last called from: rung first when the other side calls."""

from collections import OrderedDict
from collections.abc import Iterator

from call_router.domain.bindings import Role
from call_router.domain.values import Value

_SHELVES = 64  # each short enough to be copied within an answer's time


class LastPhone(Value, frozen=True):
    """The phone that a side of an order last called from."""

    tenant: str
    order_id: str
    role: Role
    phone: str


class LastPhones:
    """At most about `most` phones; the longest unused go first."""

    def __init__(self, most: int) -> None:
        self._each = max(most // _SHELVES, 1)
        self._shelves: list[OrderedDict[tuple[str, str, Role], str]] = [OrderedDict() for _ in range(_SHELVES)]

    def put(self, tenant: str, order_id: str, role: Role, phone: str) -> None:
        """Remember a phone."""
        key = (tenant, order_id, role)
        shelf = self._shelves[hash(key) % _SHELVES]
        shelf[key] = phone
        shelf.move_to_end(key)
        if len(shelf) > self._each:
            shelf.popitem(last=False)

    def get(self, tenant: str, order_id: str, role: Role) -> str | None:
        """Return the phone that this side of the order last called from."""
        key = (tenant, order_id, role)
        return self._shelves[hash(key) % _SHELVES].get(key)

    def some_at_once(self) -> Iterator[list[LastPhone]]:
        """Yield all phones, some thousands at once; they may change between two."""
        for shelf in self._shelves:
            yield [LastPhone(*key, phone) for key, phone in shelf.items()]
