"""Workers over the queue: they stop whenever they are told to, keep their leases, and let go of lost ones."""

import asyncio
import contextlib
from collections.abc import Sequence
from datetime import timedelta

import pytest
from prometheus_client import CollectorRegistry

from recording_ingest.domain.recordings import Recording, State
from recording_ingest.inbound.clock import Download, DownloadWorkers, Pace
from recording_ingest.ports.downloads import Job

ENTRY = Recording("r", "c-1", "a", "p", "demo", State.READY)


class Queue:
    """Always has one more job; `answers` says how renewals end."""

    def __init__(self, *answers: bool | Exception) -> None:
        self.renewed = 0
        self._answers = answers

    async def lease(self, limit: int, *, lease_for: timedelta) -> Sequence[Job]:
        return [Job(ENTRY, "l")]

    async def renew(self, job: Job, *, lease_for: timedelta) -> bool:
        answer = self._answers[min(self.renewed, len(self._answers) - 1)]
        self.renewed += 1
        if isinstance(answer, Exception):
            raise answer
        return answer

    async def finish(self, job: Job, outcome: Recording, beside: Sequence[Recording] = ()) -> bool:
        return True


def workers(queue: Queue, download: Download, lease_for: timedelta = timedelta(minutes=1)) -> DownloadWorkers:
    return DownloadWorkers(queue, download, Pace(1, lease_for, timedelta(milliseconds=1)), CollectorRegistry())


@pytest.mark.parametrize("ticks", range(25))
async def test_told_to_stop_at_any_moment_they_stop(ticks: int) -> None:
    async def download(job: Job) -> Recording:
        await asyncio.sleep(0)
        return job.entry

    running = asyncio.create_task(workers(Queue(True), download).run())
    for _ in range(ticks):
        await asyncio.sleep(0)
    running.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await asyncio.wait_for(running, 30)
    assert running.cancelled()


async def test_a_lost_lease_ends_the_work_and_nothing_else() -> None:
    seen: list[str] = []
    again = asyncio.Event()

    async def download(job: Job) -> Recording:
        if seen:
            again.set()
        seen.append("begun")
        try:
            await asyncio.Event().wait()
        finally:
            seen.append("ended")
        return job.entry

    queue = Queue(OSError("database away"), True, False)
    running = asyncio.create_task(workers(queue, download, timedelta(milliseconds=3)).run())
    await asyncio.wait_for(again.wait(), 30)
    assert seen[:3] == ["begun", "ended", "begun"]
    assert queue.renewed >= 3
    running.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await running
