"""Time as an inbound: downloads that are due, facts that are untold, partitions and sweeps."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta

from prometheus_client import CollectorRegistry, Counter

from fareline_chassis.backoff import Backoff
from fareline_chassis.logs import get_logger
from recording_ingest.domain.recordings import Recording
from recording_ingest.ports.downloads import Job, Queue

Download = Callable[[Job], Awaitable[Recording | None]]
log = get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Pace:
    """How many workers, how long a job is theirs unless renewed, how often an empty queue is asked again."""

    workers: int
    lease_for: timedelta
    poll: timedelta


class DownloadWorkers:
    """Some workers over one queue. A job's lease is renewed while it is worked on; a lost one ends the work."""

    def __init__(self, queue: Queue, download: Download, pace: Pace, registry: CollectorRegistry) -> None:
        self._queue = queue
        self._download = download
        self._workers = pace.workers
        self._lease_for = pace.lease_for
        self._poll = pace.poll.total_seconds()
        self._done = Counter(
            "fareline_ingest_downloads",
            "Attempts to store a recording, by the state and reason they left it in.",
            ["state", "reason"],
            registry=registry,
        )

    async def run(self) -> None:
        """Work until cancelled."""
        async with asyncio.TaskGroup() as group:
            for _ in range(self._workers):
                group.create_task(self._work())

    async def _work(self) -> None:
        while True:
            jobs = await self._queue.lease(1, lease_for=self._lease_for)
            for job in jobs:
                await self._one(job)
            if not jobs:
                await asyncio.sleep(self._poll)

    async def _one(self, job: Job) -> None:
        work = asyncio.ensure_future(self._download(job))
        keeper = asyncio.create_task(self._keep(job, work))
        try:
            entry = await work
        except asyncio.CancelledError:
            if not work.cancelled() or (task := asyncio.current_task()) is None or task.cancelling():
                raise
            entry = None
        finally:
            keeper.cancel()
            work.cancel()
            # Not `await keeper` with its cancellation suppressed: that would swallow a cancellation of this task too.
            await asyncio.wait([keeper])
        self._report(job, entry)

    async def _keep(self, job: Job, work: "asyncio.Future[Recording | None]") -> None:
        while True:
            await asyncio.sleep(self._lease_for.total_seconds() / 3)
            try:
                kept = await self._queue.renew(job, lease_for=self._lease_for)
            except Exception as error:  # noqa: BLE001 - the next try may come in time, and the end of the job finds out
                log.warning("recording lease not renewed", error=type(error).__name__)
                continue
            if not kept:
                work.cancel()
                return

    def _report(self, job: Job, entry: Recording | None) -> None:
        if entry is None:
            log.warning("recording lease lost", recording_id=job.entry.recording_id)
            return
        self._done.labels(entry.state.value, entry.reason.value if entry.reason else "").inc()
        log.info(
            "recording",
            recording_id=entry.recording_id,
            state=entry.state.value,
            reason=entry.reason.value if entry.reason else None,
            detail=entry.detail,
            attempt=entry.attempts,
        )


async def repeat(what: Callable[[], Awaitable[object]], *, every: timedelta) -> None:
    """Do `what` again and again until cancelled, `every` after it ended; sooner, with backoff, is the supervisor's."""
    while True:
        await what()
        await asyncio.sleep(every.total_seconds())


async def drain(tell: Callable[[], Awaitable[int]], *, poll: timedelta) -> None:
    """Tell facts until cancelled: at once while there are any, then each `poll`; slower while telling fails."""
    backoff = Backoff(poll, timedelta(seconds=10))
    while True:
        try:
            told = await tell()
        except Exception as error:  # noqa: BLE001 - Kafka or Postgres is away; the ledger keeps what is untold
            log.warning("facts not told", error=type(error).__name__)
            await asyncio.sleep(backoff.next())
            continue
        backoff.reset()
        if not told:
            await asyncio.sleep(poll.total_seconds())
