"""A source of recordings that does what sources do, and what must become of each recording."""

import asyncio
import hashlib
import struct
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from aiohttp import web
from ingest_source import FileSource, audio

WHOLE = "whole"
_LEAST = 20


def body_of(name: str) -> bytes:
    """Return audio that is a little different for each name."""
    wav = bytearray(audio(0.05))
    wav[60:76] = hashlib.md5(name.encode()).digest()
    return bytes(wav)


@dataclass
class NastySource:
    """Serves `/<behaviour>/<name>`; a behaviour that gets better does so at the third request."""

    source: FileSource
    asked: Counter[str] = field(default_factory=Counter)

    def url(self, behaviour: str, name: str) -> str:
        path = f"/{behaviour}/{name}"

        async def handler(request: web.Request) -> web.StreamResponse:
            self.asked[name] += 1
            return await BEHAVIOURS[behaviour][0](request, body_of(name), self.asked[name])

        return self.source.handle(path, handler)


Behaviour = Callable[[web.Request, bytes, int], Awaitable[web.StreamResponse]]


async def whole(request: web.Request, body: bytes, asked: int) -> web.StreamResponse:
    return web.Response(body=body)


async def cut(request: web.Request, body: bytes, asked: int) -> web.StreamResponse:
    return await _announce(request, body[: len(body) // 2], len(body))


async def cut_then_whole(request: web.Request, body: bytes, asked: int) -> web.StreamResponse:
    return await (whole if asked > 2 else cut)(request, body, asked)


async def lies_short(request: web.Request, body: bytes, asked: int) -> web.StreamResponse:
    """Announce less than there is: what arrives is a file cut in the middle."""
    return web.Response(body=body[: len(body) // 2])


async def drips(request: web.Request, body: bytes, asked: int) -> web.StreamResponse:
    """Begin, and fall silent for longer than anybody waits."""
    response = web.StreamResponse(headers={"Content-Length": str(len(body))})
    await response.prepare(request)
    await response.write(body[:100])
    await asyncio.sleep(600)
    return response


async def busy(request: web.Request, body: bytes, asked: int) -> web.StreamResponse:
    return await whole(request, body, asked) if asked > 2 else web.Response(status=429, headers={"Retry-After": "0"})


async def broken(request: web.Request, body: bytes, asked: int) -> web.StreamResponse:
    return await whole(request, body, asked) if asked > 2 else web.Response(status=500)


async def gone(request: web.Request, body: bytes, asked: int) -> web.StreamResponse:
    return web.Response(status=404)


async def always_500(request: web.Request, body: bytes, asked: int) -> web.StreamResponse:
    return web.Response(status=500)


async def inside(request: web.Request, body: bytes, asked: int) -> web.StreamResponse:
    return web.Response(status=302, headers={"Location": "http://169.254.169.254/latest/meta-data"})


async def html(request: web.Request, body: bytes, asked: int) -> web.StreamResponse:
    return web.Response(body=b"<html><body>Please log in</body></html>", content_type="audio/wav")


async def empty(request: web.Request, body: bytes, asked: int) -> web.StreamResponse:
    return web.Response(body=b"", content_type="audio/mpeg")


async def huge_header(request: web.Request, body: bytes, asked: int) -> web.StreamResponse:
    return web.Response(body=body[:40] + struct.pack("<I", 2_000_000_000) + body[44:54])


async def endless(request: web.Request, body: bytes, asked: int) -> web.StreamResponse:
    response = web.StreamResponse()
    await response.prepare(request)
    for _ in range(_LEAST):
        await response.write(b"\0" * 20_000)
    return response


async def playlist(request: web.Request, body: bytes, asked: int) -> web.StreamResponse:
    return web.Response(body=b"#EXTM3U\nhttp://169.254.169.254/a.mp3\n", content_type="audio/mpegurl")


BEHAVIOURS: dict[str, tuple[Behaviour, str | None]] = {
    WHOLE: (whole, None),
    "cut": (cut, "incomplete"),
    "cut-then-whole": (cut_then_whole, None),
    "lies-short": (lies_short, "incomplete"),
    "drips": (drips, "source_failed"),
    "busy": (busy, None),
    "broken": (broken, None),
    "gone": (gone, "not_found"),
    "always-500": (always_500, "source_failed"),
    "inside": (inside, "refused_address"),
    "html": (html, "not_audio"),
    "empty": (empty, "not_audio"),
    "huge-header": (huge_header, "incomplete"),
    "endless": (endless, "too_large"),
    "playlist": (playlist, "not_audio"),
}
"""What each does, and the reason for which its recording ends missing; None where it ends stored."""


async def _announce(request: web.Request, body: bytes, length: int) -> web.StreamResponse:
    response = web.StreamResponse(headers={"Content-Length": str(length)})
    await response.prepare(request)
    await response.write(body)
    assert request.transport is not None
    request.transport.close()
    return response
