"""Workers that end where a test says: a process that forks one for each line it reads, and kills it at a given step.

`python ingest_killable.py` reads a JSON object a line (`Orders`) and answers `{"pid": …}` at once. A worker leases and
downloads until nothing is left to do. With `kill_at`, it sends itself SIGKILL at that suspension or resumption of the work,
counted from the first await of the lease: nothing in the service knows of it.
"""

import asyncio
import json
import os
import signal
import subprocess
import sys
from collections.abc import Coroutine, Generator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, TypeVar

T = TypeVar("T")


@dataclass(frozen=True)
class Orders:
    """What one worker is to do."""

    dsn: str
    storage: str
    lease_s: float
    kill_at: int | None = None
    at_a_time: int = 1
    read_s: float = 20.0
    """How long a source may be silent."""
    steps_file: str | None = None
    """Where a worker that lives says how many steps its work had."""


class Doomed:
    """Awaits what it is given and ends the process at a step: a suspension or a resumption."""

    def __init__(self, kill_at: int | None) -> None:
        self.steps = 0
        self._kill_at = kill_at

    def live(self, work: Coroutine[Any, Any, T]) -> "Doomed._Work[T]":
        return Doomed._Work(self, work)

    def _step(self) -> None:
        if self.steps == self._kill_at:
            os.kill(os.getpid(), signal.SIGKILL)
        self.steps += 1

    class _Work:
        def __init__(self, doom: "Doomed", work: Coroutine[Any, Any, Any]) -> None:
            self._doom, self._inner = doom, work

        def __await__(self) -> Generator[Any, Any, Any]:
            inner = self._inner.__await__()
            try:
                waits_for = next(inner)
                while True:
                    self._doom._step()
                    try:
                        value = yield waits_for
                    except BaseException as error:  # noqa: BLE001 - whatever it is, it goes in
                        self._doom._step()
                        waits_for = inner.throw(error)
                    else:
                        self._doom._step()
                        waits_for = inner.send(value)
            except StopIteration as end:
                return end.value


async def work(orders: Orders) -> None:
    """Lease and download until nothing waits any more."""
    from datetime import timedelta as td

    from fareline_chassis.clock import utc_now
    from fareline_chassis.health import Health
    from fareline_chassis.postgres.pool import Database
    from recording_ingest.domain.addresses import HostRules
    from recording_ingest.outbound.audio import AudioIndex
    from recording_ingest.outbound.connections import Patience
    from recording_ingest.outbound.downloads import Caps, Downloader
    from recording_ingest.outbound.sources import AccountSources, SourceAccount
    from recording_ingest.outbound.storage import ObjectStorage
    from recording_ingest.usecases.download_recording import Downloads, download_recording

    database = Database(orders.dsn, 1, orders.at_a_time + 1, Health().component("db"), search_path="recording_ingest")
    await database.connect()
    ledger, audio = ledger_over(database), AudioIndex(2)
    rules = HostRules(frozenset({"127.0.0.1"}), private=True)
    patience = Patience(read=td(seconds=orders.read_s), total=td(seconds=10 * orders.read_s))
    sources = AccountSources(
        {"demo-generic": SourceAccount("generic", rules)}, Downloader(Caps(300_000, patience=patience))
    )
    tools = Downloads(ledger, sources, ObjectStorage(orders.storage), audio, utc_now, td(seconds=0.02), 6)
    doom = Doomed(orders.kill_at)

    async def one() -> bool:
        jobs = await ledger.lease(1, lease_for=td(seconds=orders.lease_s))
        for job in jobs:
            await download_recording(tools, job)
        return bool(jobs)

    async def many() -> None:
        while await waiting(database):
            if not await doom.live(one()):
                await asyncio.sleep(0.02)

    await asyncio.gather(*(many() for _ in range(orders.at_a_time)))
    await audio.close()
    await database.close()
    if orders.steps_file:
        Path(orders.steps_file).write_text(str(doom.steps))


def ledger_over(database: Any) -> Any:
    from recording_ingest.outbound.postgres_ledger import PostgresLedger

    return PostgresLedger(database)


async def waiting(database: Any) -> bool:
    async with database.acquire() as connection:
        return bool(
            await connection.fetchval(
                "SELECT EXISTS (SELECT FROM recordings WHERE state IN ('expected', 'ready')"
                " AND (lease_until IS NULL OR lease_until < clock_timestamp() + interval '30 s'))"
            )
        )


def serve() -> None:
    """Fork a worker for each line; reap the dead."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    import recording_ingest.outbound.audio
    import recording_ingest.outbound.downloads
    import recording_ingest.outbound.postgres_ledger
    import recording_ingest.outbound.sources
    import recording_ingest.outbound.storage
    import recording_ingest.usecases.download_recording  # noqa: F401

    for line in sys.stdin:
        asked = json.loads(line)
        if "wait" in asked:
            _, status = os.waitpid(asked["wait"], 0)
            answer({"status": os.waitstatus_to_exitcode(status)})
            continue
        pid = os.fork()
        if pid == 0:
            os.close(0)
            asyncio.run(work(Orders(**asked)))
            os._exit(0)
        answer({"pid": pid})


def answer(document: dict[str, int]) -> None:
    sys.stdout.write(json.dumps(document) + "\n")
    sys.stdout.flush()


class Nursery:
    """The forking process, as a test drives it."""

    def __init__(self) -> None:
        self._host = subprocess.Popen([sys.executable, __file__], stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def start(self, orders: Orders) -> int:
        """Return the pid of a new worker."""
        return int(self._ask(asdict(orders))["pid"])

    def wait(self, pid: int) -> int:
        """Return how a worker ended: 0, or minus the signal."""
        return int(self._ask({"wait": pid})["status"])

    def close(self) -> None:
        assert self._host.stdin is not None
        assert self._host.stdout is not None
        self._host.stdin.close()
        self._host.wait()
        self._host.stdout.close()

    def _ask(self, question: dict[str, Any]) -> dict[str, Any]:
        assert self._host.stdin is not None
        assert self._host.stdout is not None
        self._host.stdin.write(json.dumps(question).encode() + b"\n")
        self._host.stdin.flush()
        answer: dict[str, Any] = json.loads(self._host.stdout.readline())
        return answer


if __name__ == "__main__":
    serve()
