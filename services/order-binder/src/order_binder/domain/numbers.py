"""The inventory of proxy numbers, as far as allocation asks of it."""

import enum
from collections.abc import Iterable, Sequence

from order_binder.domain.policy import Numbering
from order_binder.domain.values import Value


class NumberRole(enum.StrEnum):
    """What a proxy number is for."""

    MAIN = "main"
    POOL = "pool"
    DESK = "desk"


class NumberState(enum.StrEnum):
    """Whether bindings may use a number: draining ones keep those they have, the others serve none."""

    ACTIVE = "active"
    PENDING_LABEL = "pending_label"
    DRAINING = "draining"
    RESTING = "resting"


class Leaving(enum.StrEnum):
    """What becomes of the bindings of a number that is withdrawn: they end in their own time, or move at once."""

    DRAIN = "drain"
    MOVE = "move"


_KEPT = (NumberState.ACTIVE, NumberState.DRAINING)


class ProxyNumber(Value, frozen=True):
    """One number of a tenant. A number with a city serves that city's orders only."""

    e164: str
    role: NumberRole
    state: NumberState = NumberState.ACTIVE
    city: str | None = None

    def serves(self, city: str | None) -> bool:
        """Whether an order of `city` may use this number; an order that names no city may use any."""
        return self.city is None or city is None or self.city == city


class Inventory:
    """All numbers of one tenant, made once and asked many times."""

    def __init__(self, numbers: Iterable[ProxyNumber] = ()) -> None:
        self.numbers = tuple(numbers)
        self._by_e164 = {number.e164: number for number in self.numbers}
        self._has_pool = any(number.role is NumberRole.POOL for number in self.numbers)
        self._pool = tuple(self._of(NumberRole.POOL, None))
        self._cities = frozenset(number.city for number in self._pool)
        self._for_all = [number.e164 for number in self._pool if number.city is None]
        self._lendable: dict[str | None, list[str]] = {}

    def numbering(self, wanted: Numbering | None) -> Numbering:
        """Return how the tenant's orders are numbered: as wanted, else by pool where there is one."""
        if wanted is not None:
            return wanted
        return Numbering.POOL if self._has_pool else Numbering.MAIN

    def without(self, e164: str) -> "Inventory":
        """Return the inventory as it is once `e164` is gone."""
        return Inventory(number for number in self.numbers if number.e164 != e164)

    @property
    def serves_all(self) -> bool:
        """Whether every binding could be given a number: there is a main number for all cities."""
        return any(number.city is None for number in self._of(NumberRole.MAIN, None))

    def lendable(self, city: str | None) -> Sequence[str]:
        """Return the pool numbers that a binding may take anew."""
        if city is not None and city not in self._cities:
            return self._for_all
        found = self._lendable.get(city)
        if found is None:
            found = self._lendable[city] = [number.e164 for number in self._pool if number.serves(city)]
        return found

    def lends(self, e164: str, city: str | None) -> bool:
        """Whether a binding that has this number may keep it: a pool number, active or draining."""
        found = self._by_e164.get(e164)
        return found is not None and found.role is NumberRole.POOL and found.state in _KEPT and found.serves(city)

    def main(self, city: str | None, *, keeping: str | None) -> str | None:
        """Return the main number for an order: the one it has, else its city's, else one for all."""
        found = [number for number in self._of(NumberRole.MAIN, keeping) if number.serves(city)]
        if any(number.e164 == keeping for number in found):
            return keeping
        found.sort(key=lambda number: (number.city != city, number.city is not None, number.e164))
        return found[0].e164 if found else None

    def _of(self, role: NumberRole, keeping: str | None) -> Iterable[ProxyNumber]:
        for number in self.numbers:
            kept = number.e164 == keeping and number.state is NumberState.DRAINING
            if number.role is role and (number.state is NumberState.ACTIVE or kept):
                yield number
