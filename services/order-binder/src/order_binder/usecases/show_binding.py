"""Show an order's binding to the platform's apps, waiting a little for news if asked."""

from collections.abc import Awaitable, Callable, Collection
from datetime import datetime, timedelta

from order_binder.domain.orders import Order, OrderKey
from order_binder.domain.states import BindingState, state_at
from order_binder.domain.values import Value
from order_binder.ports.reading import BindingReader

MAX_WAIT = timedelta(seconds=30)
_FIRST_LOOK = timedelta(milliseconds=20)
_LAST_LOOK = timedelta(milliseconds=200)


async def _never() -> bool:
    return False


class ShownBinding(Value, frozen=True):
    """An order as the apps see it, None for one that nothing is known of; `reached` says that it is new enough."""

    order: Order | None
    state: BindingState
    reached: bool
    as_of: datetime


class ShowBinding:
    """Reads one order; `sleep` waits a number of seconds, `monotonic` is a clock that never goes back."""

    def __init__(
        self, reader: BindingReader, *, sleep: Callable[[float], Awaitable[object]], monotonic: Callable[[], float]
    ) -> None:
        self._reader = reader
        self._sleep = sleep
        self._monotonic = monotonic

    async def __call__(
        self,
        key: OrderKey,
        *,
        min_version: int | None,
        wait: timedelta,
        known: Collection[int] = (),
        over: Callable[[], Awaitable[bool]] = _never,
    ) -> ShownBinding:
        """Return the order once its version is at least `min_version` and its revision none of those `known` already.

        When `wait` is through, or it is `over` because nobody waits any more, return it as it is.
        """
        deadline = self._monotonic() + min(wait, MAX_WAIT).total_seconds()
        pause = _FIRST_LOOK.total_seconds()
        while True:
            order, now = await self._reader.order(key)
            reached = min_version is None or (order is not None and order.version >= min_version)
            news = order is None or order.revision not in known
            left = deadline - self._monotonic()
            if (reached and news) or left <= 0 or await over():
                state = BindingState.NONE if order is None else state_at(order, now)
                return ShownBinding(order=order, state=state, reached=reached, as_of=now)
            await self._sleep(min(pause, left))
            pause = min(pause * 1.5, _LAST_LOOK.total_seconds())
