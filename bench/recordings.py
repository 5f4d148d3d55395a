"""P5: recordings stored by recording-ingest's workers, beside curl in parallel, sha256sum and fsync of the same files.

Both fetch from the same source, which is a process of its own, in turn and into the same file system. The subject does
everything that makes a recording `stored`: lease, fetch, digest, decode, index, publish, and the row in Postgres.
"""

import json
import shutil
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import IO, Any

import asyncpg
import numpy as np
import soundfile

from bench.report import at_most, figures, verdict
from fareline_chassis.postgres.migrations import migrate
from fareline_devstack.ports import free_port
from fareline_devstack.stack import Stack
from fareline_devstack.waiting import run_blocking

_RATE = 8000
_ROUND_OFF = 44


@dataclass(frozen=True, slots=True)
class Size:
    """How much is done: files a round and their seconds of audio, connections, rounds, and the large file's MB."""

    files: int = 300
    seconds: int = 60
    workers: int = 8
    rounds: int = 3
    large_mb: int = 500


def run(size: Size) -> None:
    """Run the benchmark and print what it found."""
    with TemporaryDirectory() as folder, Stack() as stack:
        data, dsn = Path(folder), stack.postgres_dsn
        run_blocking(migrate(dsn, "recording_ingest.migrations", "recording_ingest", "all"))
        each = wav(data / "body.wav", size.seconds * _RATE * 2)
        print(
            f"P5: {size.files} files of {each / 1e6:.2f} MB x {size.rounds} rounds, {size.workers} at a time",
            flush=True,
        )
        with source(data / "body.wav") as port, subject(dsn, data, size.workers) as worker:
            contest = Contest(dsn, data, worker, port, size)
            goals = {"fast": ("P5a", 0.7), "slow": ("P5b", 0.95)}
            lines = [contest.rate(kind, *goals[kind]) for kind in goals]
        lines += _memory(dsn, data, size)
        print("\n".join(lines))


class Contest:
    """Rounds of both, in turn."""

    def __init__(self, dsn: str, data: Path, worker: subprocess.Popen[bytes], port: int, size: Size) -> None:
        self._dsn, self._data, self._worker, self._size = dsn, data, worker, size
        self._base = f"http://127.0.0.1:{port}"

    def rate(self, kind: str, identity: str, goal: float) -> str:
        """Return the verdict of one kind of source."""
        urls = [f"{self._base}/{kind}/{n}" for n in range(self._size.files)]
        theirs, ours = [], []
        for turn in range(self._size.rounds + 1):
            baseline = self._curl(urls)
            stored = announce_and_store(self._dsn, self._data, self._worker, urls)["seconds"]
            if turn:
                theirs.append(len(urls) / baseline)
                ours.append(len(urls) / stored)
        print(figures(f"{kind}: curl + sha256sum + fsync", "files/s", theirs))
        print(figures(f"{kind}: stored", "files/s", ours), flush=True)
        return verdict(identity, f"recordings stored, {kind} source", median(ours) / median(theirs), goal=goal)

    def _curl(self, urls: Sequence[str]) -> float:
        place = self._data / "curl"
        shutil.rmtree(place, ignore_errors=True)
        place.mkdir()
        lines = (f'url = "{url}"\noutput = "{place}/{n}"' for n, url in enumerate(urls))
        (self._data / "curl.conf").write_text("\n".join(lines))
        started = time.perf_counter()
        at_once = ["--parallel", "--parallel-max", str(self._size.workers)]
        subprocess.run(["curl", "-s", "--fail", *at_once, "-K", str(self._data / "curl.conf")], check=True)
        files = [str(path) for path in sorted(place.iterdir())]
        subprocess.run(["sha256sum", *files], check=True, stdout=subprocess.DEVNULL)
        subprocess.run(["sync", *files], check=True)
        assert len(files) == len(urls)
        return time.perf_counter() - started


def announce_and_store(dsn: str, data: Path, worker: subprocess.Popen[bytes], urls: Sequence[str]) -> dict[str, float]:
    """Let the workers store what is behind `urls` and return what they say; everything is checked and thrown away."""
    shutil.rmtree(data / "storage" / "audio", ignore_errors=True)
    run_blocking(_announce(dsn, urls))
    assert worker.stdin is not None
    assert worker.stdout is not None
    worker.stdin.write(b"go\n")
    worker.stdin.flush()
    said: dict[str, float] = json.loads(worker.stdout.readline())
    run_blocking(_check(dsn, len(urls)))
    return said


@contextmanager
def source(body: Path) -> Iterator[int]:
    """Serve `body`; yield the port."""
    port = free_port()
    process = subprocess.Popen([sys.executable, "-m", "bench.recordings_source", str(port), str(body)])
    try:
        subprocess.run(
            ["curl", "-sS", "--retry", "20", "--retry-connrefused", "--retry-delay", "1", "-o", "/dev/null", f"http://127.0.0.1:{port}/fast/0"],
            check=True,
        )  # fmt: skip
        yield port
    finally:
        process.kill()
        process.wait()


@contextmanager
def subject(dsn: str, data: Path, workers: int) -> Iterator[subprocess.Popen[bytes]]:
    """Run the workers, not at work yet."""
    argv = [sys.executable, "-m", "bench.recordings_subject", dsn, str(data / "storage"), str(workers)]
    process = subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    try:
        yield process
    finally:
        for stream in (process.stdin, process.stdout):
            _close(stream)
        process.wait()


def _close(stream: IO[bytes] | None) -> None:
    if stream is not None:
        stream.close()


def _memory(dsn: str, data: Path, size: Size) -> list[str]:
    """Return the verdicts on how much more memory a large file takes than one of 1 MB."""
    peaks: dict[str, dict[str, float]] = {}
    for name, megabytes in (("1 MB", 1), (f"{size.large_mb} MB", size.large_mb)):
        body = data / "memory.wav"
        wav(body, megabytes * 1_000_000)
        with source(body) as port, subject(dsn, data, 1) as worker:
            announce_and_store(dsn, data, worker, [f"http://127.0.0.1:{port}/fast/0"])
            peaks[name] = announce_and_store(dsn, data, worker, [f"http://127.0.0.1:{port}/fast/1"])
        body.unlink()
        worker_mib, decoder_mib = (peaks[name][which] / 1024 for which in ("peak_kib", "decoder_kib"))
        print(f"  a file of {name:<8} worker {worker_mib:8.1f} MiB, decoder {decoder_mib:8.1f} MiB")
    small, large = peaks.values()
    what = "peak memory, large to small file"
    return [
        at_most("P5c", f"{what}, worker", large["peak_kib"] / small["peak_kib"], goal=1.1),
        at_most("P5d", f"{what}, decoder", large["decoder_kib"] / small["decoder_kib"], goal=1.1),
    ]


def wav(path: Path, size: int) -> int:
    """Write a WAV file of about `size` bytes of noise and return its size."""
    second = (np.random.default_rng(7).standard_normal(_RATE) * 3000).astype("<i2")
    with soundfile.SoundFile(path, "w", _RATE, 1, format="WAV", subtype="PCM_16") as file:
        for _ in range(max(1, (size - _ROUND_OFF) // second.nbytes)):
            file.write(second)
    return path.stat().st_size


async def _announce(dsn: str, urls: Sequence[str]) -> None:
    connection = await _connect(dsn)
    try:
        await connection.execute("TRUNCATE recordings")
        await connection.executemany(
            "INSERT INTO recordings (recording_id, call_id, account, pbx_call_id, tenant, state, part, source_id, url,"
            " attempts, detail, next_attempt_at)"
            " VALUES ($1, $2, 'bench', $2, 'demo', 'ready', 1, 'r', $3, 0, '', now())",
            [(uuid.uuid4(), f"c-{n}", url) for n, url in enumerate(urls)],
        )
    finally:
        await connection.close()


async def _check(dsn: str, count: int) -> None:
    connection = await _connect(dsn)
    try:
        rows = await connection.fetch("SELECT state, reason, detail, count(*) AS n FROM recordings GROUP BY 1, 2, 3")
        if [(row["state"], row["n"]) for row in rows] != [("stored", count)]:
            raise RuntimeError(f"not everything was stored: {rows}")
    finally:
        await connection.close()


async def _connect(dsn: str) -> Any:  # noqa: ANN401 - asyncpg
    return await asyncpg.connect(dsn, server_settings={"search_path": "recording_ingest"})
