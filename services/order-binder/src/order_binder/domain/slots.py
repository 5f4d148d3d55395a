"""Slots: what one person reaches by dialling one number. A slot means one peer at a time."""

import enum
from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import datetime

from order_binder.domain.values import Value, replace

SlotKey = tuple[str, str]
"""(pool number, phone)"""


class Hold(Value, frozen=True):
    """One order's hold on a slot: until `until` nobody else may have it, until `wished` nobody should."""

    until: datetime
    wished: datetime

    def lasts(self, now: datetime) -> bool:
        """Whether the slot should still mean the same person, at least by somebody's wish."""
        return self.until > now or self.wished > now


class Slot(Value, frozen=True):
    """One slot: the person it means, and the orders that hold it. `stamp` tells its last change, 0 for a new one."""

    number: str
    phone: str
    peer: str
    holds: Mapping[str, Hold]
    stamp: int = 0

    @property
    def key(self) -> SlotKey:
        """Return what the slot is told apart by."""
        return self.number, self.phone

    @property
    def held_until(self) -> datetime:
        """Return when the last hold ends; a slot always has one."""
        return max(hold.until for hold in self.holds.values())

    @property
    def kept_until(self) -> datetime:
        """Return when nobody even wishes to keep it any more."""
        return max(max(hold.until, hold.wished) for hold in self.holds.values())


class Fit(enum.IntEnum):
    """How well a slot fits a wish, best first."""

    SAME = 0
    """It means the very peer already, or somebody wishes that it still did."""
    FREE = 1
    """Nobody holds it, or this order alone does."""
    WISHED = 2
    """It may be taken, though somebody would have liked to keep it."""
    TAKEN = 3
    """It means somebody else."""


class SlotWish(Value, frozen=True):
    """A slot that a binding needs, whatever the number: `phone` reaches `peer`, for as long as `hold` says."""

    phone: str
    peer: str
    hold: Hold


class SlotBook:
    """The slots that a batch may touch, with the changes it makes: later orders of a batch see the earlier ones'."""

    def __init__(self, slots: Iterable[Slot], now: datetime) -> None:
        self._slots: dict[SlotKey, Slot] = {}
        self._numbers: defaultdict[str, set[str]] = defaultdict(set)
        self._changed: set[SlotKey] = set()
        self._now = now
        for slot in slots:
            self._keep(slot)

    def numbers_of(self, phones: Iterable[str]) -> set[str]:
        """Return the numbers on which any of `phones` has a slot; on all others they are free."""
        return set().union(*(self._numbers.get(phone, ()) for phone in phones))

    def fit(self, number: str, wish: SlotWish, holder: str) -> Fit:
        """Say whether `holder` may have the slot of `wish` on `number`."""
        slot = self._slots.get((number, wish.phone))
        if slot is None:
            return Fit.FREE
        now, found = self._now, Fit.FREE
        if slot.peer == wish.peer and any(hold.lasts(now) for hold in slot.holds.values()):
            return Fit.SAME
        for key, hold in slot.holds.items():
            if key == holder:
                continue
            if hold.until > now:
                return Fit.TAKEN
            if hold.wished > now:
                found = Fit.WISHED
        return found

    def claim(self, number: str, wish: SlotWish, holder: str) -> None:
        """Make the slot mean the wished peer, held by `holder`; other live holds stay, they mean the same peer.

        Raises SlotTaken where `fit` says TAKEN.
        """
        if self.fit(number, wish, holder) is Fit.TAKEN:
            raise SlotTaken(number)
        slot = self._slots.get((number, wish.phone))
        kept = {} if slot is None or slot.peer != wish.peer else self._live(slot)
        holds = {**kept, holder: wish.hold}
        self._put(Slot(number, wish.phone, wish.peer, holds, slot.stamp if slot else 0))

    def release(self, number: str, phone: str, holder: str, until: datetime) -> None:
        """Let the slot rest: `holder` needs it no more, but until `until` it means nobody else."""
        slot = self._slots.get((number, phone))
        if slot is None or holder not in slot.holds:
            return
        rest = Hold(until=min(slot.holds[holder].until, until), wished=until)
        self._put(replace(slot, holds={**slot.holds, holder: rest}))

    def changed(self) -> list[Slot]:
        """Return the slots that differ from what was read, in key order."""
        return [self._slots[key] for key in sorted(self._changed)]

    def _live(self, slot: Slot) -> dict[str, Hold]:
        return {key: hold for key, hold in slot.holds.items() if hold.lasts(self._now)}

    def _put(self, slot: Slot) -> None:
        self._keep(slot)
        self._changed.add(slot.key)

    def _keep(self, slot: Slot) -> None:
        self._slots[slot.key] = slot
        self._numbers[slot.phone].add(slot.number)


class SlotTaken(Exception):
    """A slot was claimed that means somebody else: a fault of the caller, who did not ask first."""

    def __init__(self, number: str) -> None:
        super().__init__(f"a slot of number ending {number[-2:]} means somebody else")
