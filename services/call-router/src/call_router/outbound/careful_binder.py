"""Asking order-binder without ever becoming its burden.

One question in flight for a caller and number, a cap on the rate, a breaker, and a short memory for callers whom it did
not know.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Protocol

from call_router.outbound.binder_client import BinderUnavailable
from call_router.outbound.breaker import Breaker
from call_router.ports import Found, Wanted

_MOST_NOBODIES = 20_000


@dataclass(frozen=True, slots=True)
class Care:
    """How careful to be."""

    a_second: int = 50
    nobody_for: timedelta = timedelta(seconds=5)
    failures: int = 5
    rest: timedelta = timedelta(seconds=2)


class Asker(Protocol):
    """Whoever really asks."""

    async def find(self, wanted: Wanted) -> Found:
        """Return what order-binder knows; raises BinderUnavailable."""
        ...


class CarefulBinder:
    """The Binder port. `on_result` hears `found`, `nobody`, `failed`, `remembered`, `capped` or `resting`."""

    def __init__(
        self, asker: Asker, *, care: Care, monotonic: Callable[[], float], on_result: Callable[[str], None]
    ) -> None:
        self._asker = asker
        self._care = care
        self._monotonic = monotonic
        self._on_result = on_result
        self._breaker = Breaker(care.failures, care.rest, monotonic)
        self._in_flight: dict[Wanted, asyncio.Task[Found | None]] = {}
        self._nobody_until: OrderedDict[Wanted, float] = OrderedDict()
        self._tokens = float(care.a_second)
        self._tokens_at = monotonic()

    async def find(self, wanted: Wanted) -> Found | None:
        """Return what order-binder knows of the call; None if it cannot be asked just now, or knew nothing lately."""
        if self._nobody_until.get(wanted, 0.0) > self._monotonic():
            self._on_result("remembered")
            return None
        task = self._in_flight.get(wanted)
        if task is None:
            refusal = self._refusal()
            if refusal is not None:
                self._on_result(refusal)
                return None
            task = self._in_flight[wanted] = asyncio.create_task(self._ask(wanted))
            task.add_done_callback(lambda _: self._in_flight.pop(wanted, None))
        return await asyncio.shield(task)

    def _refusal(self) -> str | None:
        if not self._breaker.allows():
            return "resting"
        return None if self._take_token() else "capped"

    def _take_token(self) -> bool:
        now, rate = self._monotonic(), self._care.a_second
        self._tokens = min(float(rate), self._tokens + (now - self._tokens_at) * rate)
        self._tokens_at = now
        if self._tokens < 1:
            return False
        self._tokens -= 1
        return True

    async def _ask(self, wanted: Wanted) -> Found | None:
        try:
            found = await self._asker.find(wanted)
        except BinderUnavailable:
            self._breaker.failed()
            self._on_result("failed")
            return None
        self._breaker.worked()
        if not found.bindings:
            self._remember_nobody(wanted)
        self._on_result("found" if found.bindings else "nobody")
        return found

    def _remember_nobody(self, wanted: Wanted) -> None:
        self._nobody_until[wanted] = self._monotonic() + self._care.nobody_for.total_seconds()
        self._nobody_until.move_to_end(wanted)
        if len(self._nobody_until) > _MOST_NOBODIES:
            self._nobody_until.popitem(last=False)
