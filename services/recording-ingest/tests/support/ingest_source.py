"""A file server that tests can make misbehave, and audio for it to serve."""

import asyncio
import io
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import numpy as np
import soundfile
from aiohttp import web

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def audio(seconds: float = 2.0, *, kind: str = "WAV", channels: int = 1) -> bytes:
    """Return a tone, silent in its second half."""
    times = np.arange(int(seconds * 8000)) / 8000
    tone = 0.5 * np.sin(2 * np.pi * 440 * times) * (times < seconds / 2)
    encoded = io.BytesIO()
    soundfile.write(encoded, np.column_stack([tone] * channels), 8000, format=kind)
    return encoded.getvalue()


@dataclass
class FileSource:
    """What is served under each path, and how often each was asked for."""

    port: int = 0
    handlers: dict[str, Handler] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)

    def url(self, path: str) -> str:
        return f"http://127.0.0.1:{self.port}{path}"

    def file(self, path: str, body: bytes, *, kind: str = "audio/wav") -> str:
        async def handler(_: web.Request) -> web.StreamResponse:
            return web.Response(body=body, content_type=kind)

        return self.handle(path, handler)

    def status(self, path: str, status: int, **headers: str) -> str:
        async def handler(_: web.Request) -> web.StreamResponse:
            return web.Response(status=status, headers={name.replace("_", "-"): text for name, text in headers.items()})

        return self.handle(path, handler)

    def cut(self, path: str, body: bytes, announced: int) -> str:
        """Announce more than is sent."""

        async def handler(request: web.Request) -> web.StreamResponse:
            response = web.StreamResponse(headers={"Content-Length": str(announced)})
            await response.prepare(request)
            await response.write(body)
            assert request.transport is not None
            request.transport.close()
            return response

        return self.handle(path, handler)

    def slow(self, path: str, body: bytes, gate: asyncio.Event, first: int = 1000) -> str:
        """Send the beginning, then wait for `gate`."""

        async def handler(request: web.Request) -> web.StreamResponse:
            response = web.StreamResponse(headers={"Content-Length": str(len(body))})
            await response.prepare(request)
            await response.write(body[:first])
            await gate.wait()
            await response.write(body[first:])
            return response

        return self.handle(path, handler)

    def handle(self, path: str, handler: Handler) -> str:
        self.handlers[path] = handler
        return self.url(path)

    async def answer(self, request: web.Request) -> web.StreamResponse:
        self.asked.append(request.path)
        handler = self.handlers.get(request.path)
        return await handler(request) if handler else web.Response(status=404)


@asynccontextmanager
async def file_source() -> AsyncIterator[FileSource]:
    source = FileSource()
    app = web.Application()
    app.router.add_get("/{tail:.*}", source.answer)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    source.port = runner.addresses[0][1]
    try:
        yield source
    finally:
        await runner.cleanup()
