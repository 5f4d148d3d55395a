"""A load that asks prepared HTTP requests over kept-open connections and takes every answer's time."""

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from time import perf_counter


@dataclass(frozen=True, slots=True)
class Round:
    """What one round of load saw: answers a second, the answers' times in seconds, answers other than 200."""

    rate: float
    times: tuple[float, ...]
    refused: int

    def percentile(self, share: float) -> float:
        """Return the time in seconds that `share` of the answers stayed within."""
        ordered = sorted(self.times)
        return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


async def run_round(host: str, port: int, requests: Sequence[bytes], *, connections: int) -> Round:
    """Send every request once, over `connections` connections, each waiting for its answer before the next."""
    waiting, times, refused = iter(requests), [], [0]
    began = perf_counter()
    await asyncio.gather(*(_one_connection(host, port, waiting, times, refused) for _ in range(connections)))
    return Round(len(times) / (perf_counter() - began), tuple(times), refused[0])


async def _one_connection(
    host: str, port: int, waiting: Iterator[bytes], times: list[float], refused: list[int]
) -> None:
    reader, writer = await asyncio.open_connection(host, port)
    try:
        for request in waiting:
            asked = perf_counter()
            writer.write(request)
            head = await reader.readuntil(b"\r\n\r\n")
            await reader.readexactly(_length_of(head))
            times.append(perf_counter() - asked)
            refused[0] += not head.startswith(b"HTTP/1.1 200")
    finally:
        writer.close()
        await writer.wait_closed()


def _length_of(head: bytes) -> int:
    for line in head.lower().split(b"\r\n"):
        if line.startswith(b"content-length:"):
            return int(line.partition(b":")[2])
    raise ValueError("the answer has no content-length")
