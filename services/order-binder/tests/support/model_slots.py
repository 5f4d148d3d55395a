"""Watches over what people dial: a slot means one person, a code one side of one order, live or cooling.

Both are told of bindings as others see them, never of the tables that order-binder keeps for the purpose.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from model_orders import MINUTE

OTHER = {"driver": "client", "client": "driver"}


@dataclass(frozen=True)
class Hold:
    """What an order's slot or code means, and until when it may mean nothing else."""

    meaning: str
    until: datetime


def open_at(record, now: datetime) -> bool:
    """Whether anybody may call now or later through a binding, `record` None being no binding."""
    return record is not None and now < last_closes(record)


def last_closes(record) -> datetime:
    return max(record.directions.driver_to_client.closes_at, record.directions.client_to_driver.closes_at)


def direction(record, side: str):
    """Return the window in which `side` calls."""
    return getattr(record.directions, f"{side}_to_{OTHER[side]}")


def person(record, side: str) -> str:
    party = getattr(record.parties, side)
    return f"{side} {party.id or party.phones[0]}"


class Watch:
    """Remembers who holds what. `held` maps an order to its slots (or codes) and what they mean."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._held: dict[str, dict[tuple, Hold]] = {}
        self._in_use: dict[str, set[tuple]] = {}

    def changed(
        self, wanted: dict[str, dict[tuple, Hold]], now: datetime, cool_downs: dict[str, int], was_open: set[str]
    ) -> None:
        """Take what orders hold after one commit; raises AssertionError where a thing means two at once.

        What an order lets go rests from then on; what was resting before, or whose order `was_open` no more, rests as
        long as it would have.
        """
        for order, found in wanted.items():
            rest = now + cool_downs[order] * MINUTE
            let_go = self._in_use.get(order, set()) if order in was_open else set()
            resting = {
                thing: Hold(hold.meaning, min(hold.until, rest)) if thing in let_go else hold
                for thing, hold in self._held.get(order, {}).items()
            }
            self._held[order] = {**resting, **found}
            self._in_use[order] = set(found)
        for order, found in wanted.items():
            for thing, hold in found.items():
                if hold.until > now:
                    self._alone(order, thing, hold, now)

    def taken_for(self, order: str, thing: tuple, meaning: str, now: datetime) -> bool:
        """Whether somebody else's hold stands in the way."""
        others = (held.get(thing) for holder, held in self._held.items() if holder != order)
        return any(hold and hold.until > now and hold.meaning != meaning for hold in others)

    def _alone(self, order: str, thing: tuple, hold: Hold, now: datetime) -> None:
        assert not self.taken_for(order, thing, hold.meaning, now), f"{self._name} {thing} of {order} means two at once"


def slots_held(record, pool: set[str], cool_down: int, now: datetime) -> dict[tuple, Hold]:
    """Return the slots that a binding holds: those of all phones, on a pool number, while it is not over."""
    if not open_at(record, now) or record.number not in pool:
        return {}
    rest = timedelta(minutes=cool_down)
    return {
        (record.number, phone): Hold(person(record, OTHER[side]), direction(record, side).closes_at + rest)
        for side in OTHER
        for phone in getattr(record.parties, side).phones
    }


def codes_held(record, cool_down: int, now: datetime) -> dict[tuple, Hold]:
    """Return the codes that a binding holds while it is not over."""
    if not open_at(record, now):
        return {}
    until = last_closes(record) + timedelta(minutes=cool_down)
    key = f"{record.tenant}/{record.order_id}"
    return {(record.tenant, getattr(record.parties, side).code): Hold(f"{side} of {key}", until) for side in OTHER}
