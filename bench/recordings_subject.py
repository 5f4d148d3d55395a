"""The download workers of recording-ingest as a process: after each line on stdin they work until nothing waits.

`python -m bench.recordings_subject <dsn> <storage> <workers>`; answers a line of JSON: seconds, and peak memory in KiB.
"""

import asyncio
import contextlib
import json
import sys
import time
from datetime import timedelta
from functools import partial
from pathlib import Path

from prometheus_client import CollectorRegistry

from fareline_chassis.clock import utc_now
from fareline_chassis.health import Health
from fareline_chassis.logs import configure_logging
from fareline_chassis.postgres.pool import Database
from recording_ingest.domain.addresses import HostRules
from recording_ingest.inbound.clock import DownloadWorkers, Pace
from recording_ingest.outbound.at_most import AtMost
from recording_ingest.outbound.audio import AudioIndex
from recording_ingest.outbound.downloads import Caps, Downloader
from recording_ingest.outbound.postgres_ledger import PostgresLedger
from recording_ingest.outbound.sources import AccountSources, SourceAccount
from recording_ingest.outbound.storage import ObjectStorage
from recording_ingest.usecases.download_recording import Downloads, download_recording


async def main(dsn: str, storage: str, workers: int) -> None:
    """Take orders until stdin ends."""
    database = Database(dsn, 2, 10, Health().component("postgres"), search_path="recording_ingest", keep_session=True)
    await database.connect()
    ledger, audio = PostgresLedger(database), AudioIndex(workers)
    rules = HostRules(frozenset({"127.0.0.1"}), private=True)
    sources = AccountSources({"bench": SourceAccount("generic", rules)}, Downloader(Caps(size_bytes=2**31)))
    tools = Downloads(ledger, AtMost(sources, workers), ObjectStorage(storage), audio, utc_now, timedelta(seconds=1))
    pace = Pace(workers=2 * workers, lease_for=timedelta(minutes=5), poll=timedelta(milliseconds=20))
    queue = DownloadWorkers(ledger, partial(download_recording, tools), pace, CollectorRegistry())
    while await asyncio.to_thread(sys.stdin.readline):
        _forget_peak()
        started = time.perf_counter()
        running = asyncio.create_task(queue.run())
        while await _open(database):  # noqa: ASYNC110 - what is waited for stands in the database
            await asyncio.sleep(0.01)
        seconds = time.perf_counter() - started
        running.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await running
        say({"seconds": seconds, "peak_kib": _peak("self"), "decoder_kib": max(map(_peak, audio.pids()), default=0)})
    await audio.close()
    await database.close()


def say(document: dict[str, float]) -> None:
    """Write a line of JSON."""
    sys.stdout.write(json.dumps(document) + "\n")
    sys.stdout.flush()


async def _open(database: Database) -> bool:
    async with database.acquire() as connection:
        return bool(await connection.fetchval("SELECT EXISTS (SELECT FROM recordings WHERE state = 'ready')"))


def _forget_peak() -> None:
    Path("/proc/self/clear_refs").write_text("5")


def _peak(process: object) -> int:
    lines = Path(f"/proc/{process}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM"))


if __name__ == "__main__":
    configure_logging("bench", "WARNING")
    asyncio.run(main(sys.argv[1], sys.argv[2], int(sys.argv[3])))
