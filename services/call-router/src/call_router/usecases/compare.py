"""Compare what the replica says of a call with order-binder, for one certain answer in a hundred.

The way to order-binder is needed when something else is broken, so it is walked all the time; and a replica that lacks
something, or holds what is gone, is noticed before a caller is.
"""

import asyncio
from collections.abc import Callable
from datetime import datetime, timedelta

from call_router.ports import Binder, Found, Replica, Wanted

EVERY = 100
SETTLES = timedelta(seconds=2)


class Compare:
    """Takes offers of questions, one at a time. `on_result` hears `same`, `missing`, `behind` or `left_over`.

    A difference counts only if it is still there after `settles`, for news takes its time.
    """

    def __init__(
        self,
        binder: Binder,
        replica: Replica,
        clock: Callable[[], datetime],
        *,
        may_sample: Callable[[], bool],
        on_result: Callable[[str], None],
        every: int = EVERY,
        settles: timedelta = SETTLES,
    ) -> None:
        self._binder = binder
        self._replica = replica
        self._clock = clock
        self._may_sample = may_sample
        self._on_result = on_result
        self._every = every
        self._settles = settles.total_seconds()
        self._offered = 0
        self._next: asyncio.Queue[Wanted] = asyncio.Queue(maxsize=1)

    def due(self) -> bool:
        """Whether the answer just given is one to compare; counts it."""
        self._offered += 1
        return self._offered % self._every == 0 and self._may_sample() and not self._next.full()

    def offer(self, wanted: Wanted) -> None:
        """Compare this one when there is time; while another is being compared it is dropped."""
        if not self._next.full():
            self._next.put_nowait(wanted)

    async def run(self) -> None:
        """Compare until cancelled."""
        while True:
            wanted = await self._next.get()
            await self.compare(wanted)

    async def compare(self, wanted: Wanted) -> None:
        """Compare one, twice if the first time shows a difference."""
        found = await self._binder.find(wanted)
        if found is None:
            return
        if self._difference(wanted, found) is not None:
            await asyncio.sleep(self._settles)
            found = await self._binder.find(wanted) or found
        self._on_result(self._difference(wanted, found) or "same")

    def _difference(self, wanted: Wanted, found: Found) -> str | None:
        view, now = self._replica.view, self._clock()
        theirs = {(one.tenant, one.order_id): one for one in found.bindings if not one.ended(now)}
        for (tenant, order_id), binding in theirs.items():
            ours = view.bindings.get(tenant, order_id)
            if ours is None:
                return "missing"
            if ours.revision < binding.revision:
                return "behind"
        mine = [one for tenant in wanted.tenants for one in view.bindings.of_phone(tenant, wanted.phone or "+0")]
        on_number = (one for one in mine if one.number == wanted.number and not one.ended(now))
        return "left_over" if any((one.tenant, one.order_id) not in theirs for one in on_number) else None
