"""Load on one HTTP server: prepared requests over kept-open connections, every answer's time taken.

A bare protocol without streams or parsing, so that the client costs less than what it measures.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import cycle
from time import perf_counter
from typing import cast

_END_OF_HEAD = b"\r\n\r\n"
_OK = b"HTTP/1.1 200"
_DIAL = b"rewrite_forward_number"


@dataclass(frozen=True, slots=True)
class Round:
    """What one round of load saw: answers a second, the answers' times in seconds, those other than 200, and dials."""

    rate: float
    times: tuple[float, ...]
    refused: int
    dials: int

    def percentile(self, share: float) -> float:
        """Return the time in seconds that `share` of the answers stayed within."""
        ordered = sorted(self.times)
        return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


class Connection(asyncio.Protocol):
    """One connection that has one request under way at a time; `on_answer` gets each whole answer."""

    def __init__(self, on_answer: Callable[["Connection", bytes], None]) -> None:
        self._on_answer = on_answer
        self._received = b""
        self._transport: asyncio.Transport | None = None
        self.asked_at = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport."""
        self._transport = cast("asyncio.Transport", transport)

    def ask(self, request: bytes, asked_at: float) -> None:
        """Send a request; its time runs from `asked_at`."""
        assert self._transport is not None
        self.asked_at = asked_at
        self._transport.write(request)

    def data_received(self, data: bytes) -> None:
        """Wait for a whole answer."""
        self._received += data
        head = self._received.find(_END_OF_HEAD)
        if head >= 0 and len(self._received) >= head + len(_END_OF_HEAD) + _length(self._received, head):
            answer, self._received = self._received, b""
            self._on_answer(self, answer)

    def close(self) -> None:
        """Close the connection."""
        assert self._transport is not None
        self._transport.close()


async def full_load(port: int, requests: Sequence[bytes], *, connections: int, seconds: float, again: bool) -> Round:
    """Ask for `seconds`, each connection as soon as it has its answer.

    `again`: begin anew when the requests run out; else the round ends then.
    """
    waiting: Iterator[bytes] = iter(cycle(requests) if again else requests)
    times: list[float] = []
    refused, dials, open_now, done = 0, 0, connections, asyncio.get_running_loop().create_future()
    until = perf_counter() + seconds

    def answered(connection: Connection, answer: bytes) -> None:
        nonlocal refused, dials, open_now
        now = perf_counter()
        times.append(now - connection.asked_at)
        refused += not answer.startswith(_OK)
        dials += _DIAL in answer
        request = next(waiting, None) if now < until else None
        if request is not None:
            connection.ask(request, now)
            return
        open_now -= 1
        if not open_now:
            done.set_result(None)

    made = [await _connect(port, answered) for _ in range(connections)]
    began = perf_counter()
    for connection in made:
        connection.ask(next(waiting), perf_counter())
    await done
    took = perf_counter() - began
    for connection in made:
        connection.close()
    return Round(len(times) / took, tuple(times), refused, dials)


async def paced_load(port: int, requests: Sequence[bytes], *, a_second: float) -> Round:
    """Ask every request at its own moment, whether earlier ones were answered or not; times run from that moment."""
    times: list[float] = []
    refused, dials, done = 0, 0, asyncio.Event()
    idle: deque[Connection] = deque()  # used in turn, for a server closes a connection that rests for seconds

    def answered(connection: Connection, answer: bytes) -> None:
        nonlocal refused, dials
        times.append(perf_counter() - connection.asked_at)
        refused += not answer.startswith(_OK)
        dials += _DIAL in answer
        idle.append(connection)
        if len(times) == len(requests):
            done.set()

    idle.extend([await _connect(port, answered) for _ in range(16)])
    began = perf_counter()
    for number, request in enumerate(requests):
        due = began + number / a_second
        await asyncio.sleep(max(due - perf_counter(), 0))
        (idle.popleft() if idle else await _connect(port, answered)).ask(request, due)
    await done.wait()
    took = perf_counter() - began
    for connection in idle:
        connection.close()
    return Round(len(times) / took, tuple(times), refused, dials)


async def _connect(port: int, on_answer: Callable[[Connection, bytes], None]) -> Connection:
    _, connection = await asyncio.get_running_loop().create_connection(lambda: Connection(on_answer), "127.0.0.1", port)
    return connection


def _length(answer: bytes, head: int) -> int:
    """Return the length of the body that the head names."""
    found = answer.lower().find(b"content-length:", 0, head)
    if found < 0:
        raise ValueError("the answer has no content-length")
    return int(answer[found + len(b"content-length:") : answer.find(b"\r\n", found)])
