"""Keeping leases: renewed well before they end, given up early when they cannot be."""

import asyncio
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta

from fareline_chassis.clock import Monotonic
from fareline_chassis.health import HealthComponent
from fareline_chassis.logs import get_logger
from fareline_chassis.publication.leases import GIVE_UP_EARLY, LEASE_FOR, LeaseStore

_RENEW_EVERY = timedelta(milliseconds=700)
_RELEASE_TIMEOUT = timedelta(seconds=2)
log = get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Lease:
    """A partition held under `epoch` until `good_until`, by the holder's own monotonic clock in seconds."""

    partition: int
    epoch: int
    good_until: float


class LeaseKeeper:
    """Holds what leases of `topic` it can get for `holder`, which must be unique for each start of a process."""

    def __init__(
        self,
        store: LeaseStore,
        *,
        topic: str,
        partitions: Sequence[int],
        holder: str,
        component: HealthComponent,
        monotonic: Monotonic = time.monotonic,
    ) -> None:
        """`component` is told how many partitions are held, or why none can be."""
        self._store = store
        self._topic = topic
        self._partitions = tuple(partitions)
        self._holder = holder
        self._component = component
        self._monotonic = monotonic
        self._leases: Mapping[int, Lease] = {}

    def lease(self, partition: int) -> Lease | None:
        """Return the lease of `partition` if it is safely held now."""
        lease = self._leases.get(partition)
        return lease if lease is not None and self._monotonic() < lease.good_until else None

    async def run(self) -> None:
        """Renew and take, for ever."""
        while True:
            await self.renew()
            await asyncio.sleep(_RENEW_EVERY.total_seconds())

    async def renew(self) -> None:
        """Ask the store once. When it cannot be reached, the leases run out by themselves."""
        # The store's clock starts later than ours, so ours ends first even without the early surrender.
        asked_at = self._monotonic()
        try:
            async with asyncio.timeout(LEASE_FOR.total_seconds()):
                epochs = await self._store.acquire(self._topic, self._partitions, self._holder)
        except Exception as error:  # noqa: BLE001 - whatever the store's trouble is, the answer is to try again
            self._component.waiting(f"leases: {type(error).__name__}")
            log.warning("publication.leases_unavailable", topic=self._topic, error=type(error).__name__)
            return
        good_until = asked_at + (LEASE_FOR - GIVE_UP_EARLY).total_seconds()
        self._tell(epochs)
        self._leases = {part: Lease(part, epoch, good_until) for part, epoch in epochs.items()}

    async def release(self) -> None:
        """Hand everything to whoever comes next; bounded, and no matter if it fails."""
        self._leases = {}
        with suppress(Exception):
            async with asyncio.timeout(_RELEASE_TIMEOUT.total_seconds()):
                await self._store.release(self._topic, self._holder)

    def _tell(self, epochs: Mapping[int, int]) -> None:
        self._component.ok(f"{len(epochs)} of {len(self._partitions)} partitions")
        if {part: lease.epoch for part, lease in self._leases.items()} != epochs:
            log.info("publication.leases", topic=self._topic, partitions=sorted(epochs))
