"""How old the replica's data is, and whether news still reaches it: told by the publishers' heartbeats."""

import asyncio
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import datetime, timedelta

CUT_OFF_AFTER_S = 5.0


class Freshness:
    """Heartbeats by partition. `monotonic` is the reader's own clock, in seconds, which nobody sets.

    `filled` is set, for good, when the replica has been loaded once.
    """

    def __init__(self, monotonic: Callable[[], float], clock: Callable[[], datetime]) -> None:
        self._monotonic = monotonic
        self._clock = clock
        self._heard: dict[int, float] = {}
        self._input_as_of: dict[int, datetime] = {}
        self._partitions: int | None = None
        self._restored = False
        self.filled = asyncio.Event()

    def expect(self, partitions: int) -> None:
        """Say how many partitions the bindings topic has: each must be heard."""
        self._partitions = partitions

    def restored(self, input_as_of: Mapping[int, datetime]) -> None:
        """Say that the data is that of a snapshot, and how old it was then, by partition."""
        self._restored = True
        self._partitions = len(input_as_of) or None
        self._input_as_of = dict(input_as_of)

    @property
    def stale(self) -> bool:
        """Whether answers go by a snapshot that has not been brought up to date yet."""
        return self._restored and not self.filled.is_set()

    @property
    def input_as_of(self) -> Mapping[int, datetime]:
        """How far the taxi platform's events were processed, by partition, as last heard."""
        return dict(self._input_as_of)

    async def wait_filled(self, most: timedelta) -> None:
        """Return when the replica is filled, or after `most`."""
        with suppress(TimeoutError):
            async with asyncio.timeout(most.total_seconds()):
                await self.filled.wait()

    def heard(self, partition: int, input_as_of: datetime) -> None:
        """Note a heartbeat."""
        self._heard[partition] = self._monotonic()
        self._input_as_of[partition] = input_as_of

    def age(self, now: datetime) -> timedelta | None:
        """Return how far the data lags behind the taxi platform; None while any partition was never heard."""
        if self._partitions is None or len(self._input_as_of) < self._partitions:
            return None
        return max(now - min(self._input_as_of.values()), timedelta(0))

    @property
    def cut_off(self) -> bool:
        """Whether any partition has been silent for too long."""
        if self._partitions is None or len(self._heard) < self._partitions:
            return True
        return self._monotonic() - min(self._heard.values()) > CUT_OFF_AFTER_S

    @property
    def unsure(self) -> bool:
        """Whether the replica may lack what order-binder has: still filling, or cut off."""
        return not self.filled.is_set() or self.cut_off

    def readings(self) -> dict[str, tuple[str, Callable[[], float]]]:
        """Return what is worth a gauge: name, text and function. An age that is not known is NaN."""

        def age() -> float:
            known = self.age(self._clock())
            return float("nan") if known is None else known.total_seconds()

        return {
            "data_age_seconds": ("Age of the replica's data.", age),
            "stale": ("Whether answers go by a snapshot not brought up to date yet.", lambda: self.stale),
            "cut_off": ("Whether heartbeats fail to arrive.", lambda: self.cut_off),
        }
