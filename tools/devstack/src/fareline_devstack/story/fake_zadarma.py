"""A small Zadarma: the REST call that hands out links to recordings, and the server behind those links.

It runs in a thread of its own, so that it answers whatever the story is doing, and checks signatures as Zadarma does.
"""

import json
import secrets
import threading
import time
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Self
from urllib.parse import parse_qs, urlsplit

from fareline_devstack.story.signatures import zadarma_api

_REQUEST_PATH = "/v1/pbx/record/request"
_DOWNLOAD_PREFIX = "/v1/pbx/record/download/"
_DEFAULT_LIFETIME_S = 1800


class FakeZadarma:
    """Serves `GET /v1/pbx/record/request/` and the downloads it points to; `base_url` is where.

    A context manager: it listens from entry to exit on `listen`, `port` 0 meaning any free one. `name` is what services
    call this machine: something else than 127.0.0.1 where they run in containers.
    """

    def __init__(
        self, *, key: str, secret: str, port: int = 0, listen: str = "127.0.0.1", name: str = "127.0.0.1"
    ) -> None:
        self._key = key
        self._secret = secret
        self._files: dict[str, list[tuple[str, bytes]]] = {}
        self._links: dict[str, bytes] = {}
        self._refused = 0
        self._port = port
        self._listen = listen
        self.name = name
        self._listening: tuple[ThreadingHTTPServer, threading.Thread] | None = None

    @property
    def base_url(self) -> str:
        """Return the address that belongs into the account's `api_base`; known once it listens."""
        return f"http://{self.name}:{self._port}"

    @property
    def refused(self) -> int:
        """Return how many requests came with a signature that was wrong."""
        return self._refused

    def keep(self, pbx_call_id: str, recording_id: str, audio: bytes) -> None:
        """Hold the recording of a call, to be asked for by the call's id or by its own."""
        for key in (pbx_call_id, recording_id):
            self._files.setdefault(key, []).append((f"{recording_id}.mp3", audio))

    def links(self, target: str, authorization: str) -> tuple[HTTPStatus, dict[str, object]]:
        """Answer a request for links; `target` is path and query as they were sent."""
        parts = urlsplit(target)
        if authorization != f"{self._key}:{zadarma_api(self._secret, parts.path, parts.query)}":
            self._refused += 1
            return HTTPStatus.UNAUTHORIZED, {"status": "error", "message": "Not authorized"}
        asked = {name: values[0] for name, values in parse_qs(parts.query).items()}
        found = self._files.get(asked.get("pbx_call_id") or asked.get("call_id", ""), [])
        if not found:
            return HTTPStatus.NOT_FOUND, {"status": "error", "message": "File not found"}
        links = [self._link(name, audio) for name, audio in found]
        till = time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(time.time() + _lifetime(asked)))
        one_or_more: dict[str, object] = {"link": links[0]} if "call_id" in asked else {"links": links}
        return HTTPStatus.OK, {"status": "success", **one_or_more, "lifetime_till": till}

    def file(self, path: str) -> bytes | None:
        """Return the file behind a link's path, None where there is none."""
        return self._links.get(path)

    def _link(self, name: str, audio: bytes) -> str:
        path = f"{_DOWNLOAD_PREFIX}{secrets.token_urlsafe(24)}/{name}"
        self._links[path] = audio
        return self.base_url + path

    def __enter__(self) -> Self:
        handler = type("Handler", (_Handler,), {"zadarma": self})
        server = ThreadingHTTPServer((self._listen, self._port), handler)
        self._port = server.server_port
        thread = threading.Thread(target=server.serve_forever, name="fake-zadarma", daemon=True)
        thread.start()
        self._listening = server, thread
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._listening is None:
            return
        server, thread = self._listening
        server.shutdown()
        server.server_close()
        thread.join()


def _lifetime(asked: dict[str, str]) -> int:
    given = asked.get("lifetime", "")
    return int(given) if given.isdecimal() else _DEFAULT_LIFETIME_S


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    zadarma: FakeZadarma

    def do_GET(self) -> None:
        path = urlsplit(self.path).path
        if path.rstrip("/") == _REQUEST_PATH:
            status, document = self.zadarma.links(self.path, self.headers.get("Authorization", ""))
            self._answer(status, "application/json", json.dumps(document).encode())
            return
        audio = self.zadarma.file(path)
        if audio is None:
            self._answer(HTTPStatus.NOT_FOUND, "text/plain", b"not found")
        else:
            self._answer(HTTPStatus.OK, "audio/mpeg", audio)

    def _answer(self, status: HTTPStatus, kind: str, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Stay quiet: the story says what is fetched."""
