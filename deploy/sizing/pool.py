"""How many pool numbers a fleet needs: a day of orders played through order-binder's own slots.

    python deploy/sizing/pool.py --orders-per-hour 1000 --orders-per-driver-hour 2.5

For each size of the pool it says how many bindings found no free number (they get the main one, and callers from other
phones need a code) and how many took a slot that somebody wished to keep (a driver who calls back late reaches his
newer client there). What counts is how many orders one driver has in an hour, hardly how many the fleet has: each
driver has slots of his own on every number.
"""

import argparse
import heapq
import random
import sys
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from order_binder.domain.policy import WindowPolicy
from order_binder.domain.slots import Fit, Hold, Slot, SlotBook, SlotKey, SlotWish

BEGIN = datetime(2026, 1, 1, tzinfo=UTC)
CHOICE_OF = 3
SIZES = (2, 4, 6, 8, 10, 12, 16, 20, 30)


@dataclass(frozen=True, slots=True)
class Fleet:
    """How the fleet works. `regulars` is the share of orders of clients who ride again that day."""

    orders_per_hour: float
    orders_per_driver_hour: float
    ride: timedelta = timedelta(minutes=25)
    shift: timedelta = timedelta(hours=10)
    regulars: float = 0.2


@dataclass(frozen=True, slots=True)
class Ride:
    """One order: from its acceptance to its end."""

    order: str
    driver: str
    client: str
    accepted: datetime
    ended: datetime


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a pool of `numbers` came to, as shares of all orders after the first hours."""

    numbers: int
    dry: float
    overwritten: float


def rides(fleet: Fleet, hours: int, rng: random.Random) -> list[Ride]:
    """Return the orders of `hours`, by the time of their acceptance. Each driver does one after the other."""
    drivers = max(1, round(fleet.orders_per_hour / fleet.orders_per_driver_hour))
    pause = timedelta(hours=1 / fleet.orders_per_driver_hour) - fleet.ride
    made: list[Ride] = []
    for driver in range(drivers):
        at = BEGIN + timedelta(hours=rng.uniform(0, 1 / fleet.orders_per_driver_hour))
        began, shift = at, 0
        while at < BEGIN + timedelta(hours=hours):
            ended = at + fleet.ride * rng.uniform(0.5, 1.5)
            again = rng.random() < fleet.regulars
            client = f"c-regular-{rng.randrange(max(1, drivers))}" if again else f"c-{driver}-{len(made)}"
            made.append(Ride(f"o-{len(made)}", f"d-{driver}-{shift}", client, at, ended))
            at = ended + max(pause, timedelta(minutes=1)) * rng.uniform(0.2, 1.8)
            if at - began > fleet.shift:  # somebody else takes the car
                began, shift = at, shift + 1
    return sorted(made, key=lambda ride: ride.accepted)


class Pool:
    """The slots of some numbers, used as order-binder uses them."""

    def __init__(self, numbers: int, windows: WindowPolicy, rng: random.Random) -> None:
        self._numbers = [f"n{index:03d}" for index in range(numbers)]
        self._windows, self._rng = windows, rng
        self._slots: dict[str, dict[SlotKey, Slot]] = defaultdict(dict)
        self._loads = dict.fromkeys(self._numbers, 0)

    def accept(self, ride: Ride) -> tuple[str | None, bool]:
        """Return the number that the order gets, None where none is free, and whether a wish was passed over."""
        book = self._book(ride, ride.accepted)
        wishes = self._wishes(ride, ride.accepted + self._windows.cap, ride.accepted + self._windows.cap)
        fits = {number: {book.fit(number, wish, ride.order) for wish in wishes} for number in self._numbers}
        claimable = {number: fit for number, fit in fits.items() if Fit.TAKEN not in fit}
        unwished = [number for number, fit in claimable.items() if Fit.WISHED not in fit]
        best = sorted(unwished or claimable, key=lambda number: self._loads[number])[:CHOICE_OF]
        if not best:
            return None, False
        number = self._rng.choice(best)
        self._loads[number] += 1
        self._claim(book, number, wishes, ride.order)
        return number, not unwished

    def end(self, ride: Ride, number: str) -> None:
        """Complete an order: its slots are held for the grace and the cool-down only."""
        grace = self._windows
        wishes = self._wishes(
            ride, ride.ended + grace.grace_driver_to_client, ride.ended + grace.grace_client_to_driver
        )
        self._claim(self._book(ride, ride.ended), number, wishes, ride.order)

    def _book(self, ride: Ride, now: datetime) -> SlotBook:
        return SlotBook([*self._slots[ride.driver].values(), *self._slots[ride.client].values()], now)

    def _wishes(self, ride: Ride, driver_closes: datetime, client_closes: datetime) -> list[SlotWish]:
        rest = self._windows.cool_down
        last = max(driver_closes, client_closes) + rest
        return [
            SlotWish(ride.driver, ride.client, Hold(until=driver_closes + rest, wished=last)),
            SlotWish(ride.client, ride.driver, Hold(until=client_closes + rest, wished=last)),
        ]

    def _claim(self, book: SlotBook, number: str, wishes: Sequence[SlotWish], order: str) -> None:
        for wish in wishes:
            book.claim(number, wish, order)
        for slot in book.changed():
            self._slots[slot.phone][slot.key] = slot


def play(fleet: Fleet, numbers: int, *, hours: int, warm: int, seed: int = 1) -> Outcome:
    """Play `hours` of orders against a pool of `numbers` and count those accepted after the first `warm` hours."""
    rng = random.Random(seed)  # noqa: S311 - the same days again, not secrets
    pool = Pool(numbers, WindowPolicy(), rng)
    counted, dry, overwritten = 0, 0, 0
    ending: list[tuple[datetime, str, Ride, str]] = []
    for ride in rides(fleet, hours, rng):
        while ending and ending[0][0] <= ride.accepted:
            _, _, ended, number = heapq.heappop(ending)
            pool.end(ended, number)
        got, passed_over = pool.accept(ride)
        if got:
            heapq.heappush(ending, (ride.ended, ride.order, ride, got))
        if ride.accepted >= BEGIN + timedelta(hours=warm):
            counted, dry, overwritten = counted + 1, dry + (got is None), overwritten + passed_over
    return Outcome(numbers, dry / counted, overwritten / counted)


def outcomes(fleet: Fleet, sizes: Sequence[int], *, hours: int, warm: int) -> Iterator[Outcome]:
    """Yield the outcome of each size."""
    for numbers in sizes:
        yield play(fleet, numbers, hours=hours, warm=warm)


def main() -> None:
    """Print a table, and the smallest pool that keeps its promise."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--orders-per-hour", type=float, default=300, help="of the whole tenant, at its peak")
    parser.add_argument("--orders-per-driver-hour", type=float, default=2.0)
    parser.add_argument("--ride-minutes", type=float, default=25, help="from acceptance to completion")
    parser.add_argument("--hours", type=int, default=36, help="how long to play")
    parser.add_argument(
        "--promise", type=float, default=0.001, help="share of orders that may go without a pool number"
    )
    parser.add_argument("--numbers", type=int, nargs="+", default=list(SIZES), help="sizes of the pool to try")
    asked = parser.parse_args()
    fleet = Fleet(asked.orders_per_hour, asked.orders_per_driver_hour, timedelta(minutes=asked.ride_minutes))
    sys.stdout.write("numbers   without a number   a wish passed over\n")
    enough = None
    for outcome in outcomes(fleet, asked.numbers, hours=asked.hours, warm=asked.hours // 3):
        sys.stdout.write(f"{outcome.numbers:7d}   {outcome.dry:15.2%}   {outcome.overwritten:17.2%}\n")
        if enough is None and outcome.dry <= asked.promise:
            enough = outcome.numbers
    words = "none of these sizes is enough" if enough is None else f"{enough} numbers are enough"
    sys.stdout.write(f"{words} for at most {asked.promise:.1%} without one\n")


if __name__ == "__main__":
    main()
