"""Who is let in when there is too much to do: samples and the API give way first, calls last.

With `most` calls under way at a time (they wait for order-binder or the disk, for deciding takes no time):
samples stop at an eighth of it, the API at a quarter, asking order-binder at a half; beyond all of it a call is still
answered, by its account's default route, and beyond four times as many it is left to the PBX's own fallback, with 503.
One account alone is answered by its default route once it asks more than `a_second`, so that a PBX gone wild leaves
the others their share. Addresses that only send wrong signatures are shut out for a while.
"""

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

_MOST_ADDRESSES = 10_000
_BURST_S = 2
_TRUSTED_FOR_S = 600.0


@dataclass(frozen=True, slots=True)
class Bounds:
    """How much is too much. `refused_a_minute`: wrong signatures from one address."""

    most: int = 256
    a_second: int = 500
    refused_a_minute: int = 60


class Bucket:
    """Lets `rate` things through in a second, and `burst` at once."""

    __slots__ = ("_at", "_burst", "_left", "_rate")

    def __init__(self, rate: float, burst: float, now: float) -> None:
        self._rate = rate
        self._burst = burst
        self._left = burst
        self._at = now

    def take(self, now: float) -> bool:
        """Whether one more may pass; if so it has passed."""
        self._refill(now)
        if self._left < 1:
            return False
        self._left -= 1
        return True

    def empty(self, now: float) -> bool:
        """Whether nothing may pass at the moment."""
        self._refill(now)
        return self._left < 1

    def _refill(self, now: float) -> None:
        self._left = min(self._burst, self._left + (now - self._at) * self._rate)
        self._at = now


class Admission:
    """Counts what is under way. `under_way` is raised and lowered by whoever lets a webhook in."""

    def __init__(self, bounds: Bounds, monotonic: Callable[[], float]) -> None:
        self.under_way = 0
        self._bounds = bounds
        self._monotonic = monotonic
        self._accounts: dict[str, Bucket] = {}
        self._refused: OrderedDict[str, Bucket] = OrderedDict()
        self._trusted: OrderedDict[str, float] = OrderedDict()

    @property
    def may_sample(self) -> bool:
        """Whether there is time to compare what is known with order-binder."""
        return self.under_way * 8 < self._bounds.most

    @property
    def may_serve_api(self) -> bool:
        """Whether there is time for whoever does not wait on a telephone."""
        return self.under_way * 4 < self._bounds.most

    @property
    def may_ask(self) -> bool:
        """Whether calls may wait for order-binder."""
        return self.under_way * 2 < self._bounds.most

    @property
    def flooded(self) -> bool:
        """Whether there are so many calls that one more must be left to its PBX."""
        return self.under_way >= 4 * self._bounds.most

    def may_decide(self, account: str) -> bool:
        """Whether one more signed question of an account may be decided by the rules; counts it."""
        if self.under_way > self._bounds.most:
            return False
        bucket = self._accounts.get(account)
        if bucket is None:
            rate = self._bounds.a_second
            bucket = self._accounts[account] = Bucket(rate, rate * _BURST_S, self._monotonic())
        return bucket.take(self._monotonic())

    def shut_out(self, address: str) -> bool:
        """Whether an address sent so many wrong signatures, and none that was right lately, that it is not read."""
        bucket = self._refused.get(address) if self._refused else None
        if bucket is None or not bucket.empty(self._monotonic()):
            return False
        return self._monotonic() - self._trusted.get(address, -_TRUSTED_FOR_S) >= _TRUSTED_FOR_S

    def refused(self, address: str) -> None:
        """Hear that an address sent a wrong signature."""
        bucket = self._refused.get(address)
        if bucket is None:
            each = self._bounds.refused_a_minute
            bucket = self._refused[address] = Bucket(each / 60, each, self._monotonic())
            if len(self._refused) > _MOST_ADDRESSES:
                self._refused.popitem(last=False)
        bucket.take(self._monotonic())

    def trusted(self, address: str) -> None:
        """Hear that an address sent a right signature."""
        if address not in self._trusted and len(self._trusted) >= _MOST_ADDRESSES:
            self._trusted.popitem(last=False)
        self._trusted[address] = self._monotonic()
