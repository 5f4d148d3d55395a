"""A source of recordings in a process of its own: one body for every path, at once or as a PBX would send it.

`python -m bench.recordings_source <port> <file>`; `/fast/…` answers at once, `/slow/…` after 20 ms and at 5 MB/s.
"""

import asyncio
import sys
from pathlib import Path

_LATENCY_S = 0.02
_TICK_S = 0.01
_A_TICK = 50_000


class Source(asyncio.Protocol):
    """One connection."""

    def __init__(self, body: bytes) -> None:
        self._body = memoryview(body)
        self._heard = b""
        self._sending: asyncio.Task[None] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        """Answer each request, one after another."""
        self._heard += data
        while b"\r\n\r\n" in self._heard:
            head, _, self._heard = self._heard.partition(b"\r\n\r\n")
            slow = head.split(b" ", 2)[1].startswith(b"/slow")
            if slow:
                self._sending = asyncio.ensure_future(self._drip())
            else:
                self._transport.writelines([self._head(), self._body])

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - asyncio's signature
        """Stop."""
        if self._sending:
            self._sending.cancel()

    def _head(self) -> bytes:
        return b"HTTP/1.1 200 OK\r\nContent-Type: audio/wav\r\nContent-Length: %d\r\n\r\n" % len(self._body)

    async def _drip(self) -> None:
        loop = asyncio.get_running_loop()
        due = loop.time() + _LATENCY_S
        await asyncio.sleep(_LATENCY_S)
        self._transport.write(self._head())
        for start in range(0, len(self._body), _A_TICK):
            self._transport.write(self._body[start : start + _A_TICK])
            due += _TICK_S
            await asyncio.sleep(max(0.0, due - loop.time()))


async def main(port: int, body: bytes) -> None:
    """Serve until killed."""
    server = await asyncio.get_running_loop().create_server(lambda: Source(body), "127.0.0.1", port, backlog=512)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]), Path(sys.argv[2]).read_bytes()))
