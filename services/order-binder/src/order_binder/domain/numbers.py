"""The inventory of proxy numbers, as far as allocation asks of it."""

import enum
from collections.abc import Iterable
from dataclasses import dataclass

from order_binder.domain.policy import Numbering


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


@dataclass(frozen=True, slots=True)
class ProxyNumber:
    """One number of a tenant. A number with a city serves that city's orders only."""

    e164: str
    role: NumberRole
    state: NumberState = NumberState.ACTIVE
    city: str | None = None

    def serves(self, city: str | None) -> bool:
        """Whether an order of `city` may use this number; an order that names no city may use any."""
        return self.city is None or city is None or self.city == city


@dataclass(frozen=True, slots=True)
class Inventory:
    """All numbers of one tenant."""

    numbers: tuple[ProxyNumber, ...] = ()

    def numbering(self, wanted: Numbering | None) -> Numbering:
        """Return how the tenant's orders are numbered: as wanted, else by pool where there is one."""
        if wanted is not None:
            return wanted
        has_pool = any(number.role is NumberRole.POOL for number in self.numbers)
        return Numbering.POOL if has_pool else Numbering.MAIN

    def without(self, e164: str) -> "Inventory":
        """Return the inventory as it is once `e164` is gone."""
        return Inventory(tuple(number for number in self.numbers if number.e164 != e164))

    @property
    def serves_all(self) -> bool:
        """Whether every binding could be given a number: there is a main number for all cities."""
        return any(number.city is None for number in self._of(NumberRole.MAIN, None))

    def lendable(self, city: str | None) -> list[str]:
        """Return the pool numbers that a binding may take anew."""
        return [number.e164 for number in self._of(NumberRole.POOL, None) if number.serves(city)]

    def lends(self, e164: str, city: str | None) -> bool:
        """Whether a binding that has this number may keep it: a pool number, active or draining."""
        found = next((number for number in self.numbers if number.e164 == e164), None)
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
