"""Lanes: a large batch shared out among transactions that have nothing to do with each other."""

from collections.abc import Hashable, Sequence

from order_binder.domain.events import OrderEvent


def lanes(events: Sequence[OrderEvent], count: int) -> list[list[int]]:
    """Share events out among at most `count` lanes, as places in `events`, each lane in their order; none is empty.

    Events of one order are in one lane, and so are those of a tenant that name the same phone in the same spelling:
    they want the same slots. Who shares a phone in two spellings may lose a race for a slot, no more.
    """
    groups = _Groups()
    firsts = [groups.joined(_marks(event)) for event in events]
    sizes: dict[Hashable, int] = {}
    for first in firsts:
        group = groups.find(first)
        sizes[group] = sizes.get(group, 0) + 1
    filled = [0] * count
    lane_of: dict[Hashable, int] = {}
    found: list[list[int]] = [[] for _ in range(count)]
    for place, first in enumerate(firsts):
        group = groups.find(first)
        lane = lane_of.get(group)
        if lane is None:
            lane = lane_of[group] = filled.index(min(filled))
            filled[lane] += sizes[group]
        found[lane].append(place)
    return [lane for lane in found if lane]


def _marks(event: OrderEvent) -> list[Hashable]:
    """Return what an event has in common with others of its lane."""
    tenant = event.key.tenant
    phones = event.client.phones + (event.driver.phones if event.driver else ())
    return [event.key, *((tenant, phone) for phone in phones)]


class _Groups:
    """Disjoint sets of marks: each mark points towards the one that stands for its set."""

    def __init__(self) -> None:
        self._towards: dict[Hashable, Hashable] = {}

    def find(self, mark: Hashable) -> Hashable:
        """Return the mark that stands for the set of `mark`, shortening the way for those who come after."""
        towards = self._towards
        while (following := towards.setdefault(mark, mark)) != mark:
            towards[mark] = towards[following]
            mark = towards[following]
        return mark

    def joined(self, marks: Sequence[Hashable]) -> Hashable:
        """Make one set of all that `marks` belong to and return the mark that stands for it by now."""
        first = self.find(marks[0])
        for mark in marks[1:]:
            self._towards[self.find(mark)] = first
        return first
