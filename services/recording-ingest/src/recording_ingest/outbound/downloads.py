"""Fetches recordings: a stream to disk with flat memory, capped in size, time and slowness, and counted as it comes."""

import asyncio
import json
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import aiohttp

from recording_ingest.domain.addresses import HostRules
from recording_ingest.domain.recordings import Reason
from recording_ingest.outbound.connections import Patience, Resolve, open_url, resolve
from recording_ingest.outbound.files import Sink
from recording_ingest.ports.downloads import Fetched, FetchFailed

_CHUNK = 1024 * 1024
_OK = 200
_GONE = 410
_MISSING = frozenset({404, 410})
_LONGEST_RETRY_AFTER = 3600


@dataclass(frozen=True, slots=True)
class Caps:
    """How much a source may take of us. `least_rate` (bytes a second) counts from ten seconds on."""

    size_bytes: int = 500 * 1024 * 1024
    least_rate: int = 1024
    patience: Patience = field(default_factory=Patience)


class Downloader:
    """Gets files and small JSON documents from the hosts that an account allows."""

    def __init__(self, caps: Caps, resolver: Resolve = resolve) -> None:
        self._caps = caps
        self._resolver = resolver

    async def download(self, url: str, into: Path, rules: HostRules, headers: Mapping[str, str]) -> Fetched:
        """Write the file behind `url` to `into`, flushed to disk. Raises FetchFailed; `into` is then to be thrown away.

        A body cut before its `Content-Length`, or a last chunk that never comes, is `incomplete`.
        """
        try:
            async with open_url(
                url, rules, headers=headers, patience=self._caps.patience, resolver=self._resolver
            ) as response:
                self._check(response)
                return await self._save(response, into)
        except TimeoutError:
            raise FetchFailed(Reason.SOURCE_FAILED, "the file took too long") from None
        except aiohttp.ClientPayloadError:
            raise FetchFailed(Reason.INCOMPLETE, "the body ended before its announced length") from None
        except (aiohttp.ClientError, OSError) as error:
            raise FetchFailed(Reason.SOURCE_FAILED, type(error).__name__) from None

    async def document(
        self, url: str, rules: HostRules, headers: Mapping[str, str], *, at_most: int = 64 * 1024
    ) -> tuple[int, Any, timedelta | None]:
        """Return (status, document or None, pause asked for or None) of a small JSON answer. Raises FetchFailed."""
        try:
            async with open_url(
                url, rules, headers=headers, patience=self._caps.patience, resolver=self._resolver
            ) as response:
                body = await response.content.read(at_most)
                retry_after = _retry_after(response.headers.get("Retry-After"))
                return response.status, _document(body), retry_after
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise FetchFailed(Reason.SOURCE_FAILED, type(error).__name__) from None

    def _check(self, response: aiohttp.ClientResponse) -> None:
        if response.status in _MISSING:
            raise FetchFailed(
                Reason.NOT_FOUND, f"the source answered {response.status}", final=response.status == _GONE
            )
        if response.status != _OK:
            raise FetchFailed(
                Reason.SOURCE_FAILED,
                f"the source answered {response.status}",
                retry_after=_retry_after(response.headers.get("Retry-After")),
            )
        if response.headers.get("Content-Encoding", "identity").lower() != "identity":
            raise FetchFailed(Reason.SOURCE_FAILED, "the source compresses although it was asked not to")
        if (response.content_length or 0) > self._caps.size_bytes:
            raise FetchFailed(Reason.TOO_LARGE, "announced larger than allowed", final=True)

    def _check_pace(self, size: int, elapsed: float) -> None:
        if size > self._caps.size_bytes:
            raise FetchFailed(Reason.TOO_LARGE, "larger than allowed", final=True)
        if elapsed > 10 and size / elapsed < self._caps.least_rate:  # noqa: PLR2004 - see Caps
            raise FetchFailed(Reason.SOURCE_FAILED, "the source drips")

    async def _save(self, response: aiohttp.ClientResponse, into: Path) -> Fetched:
        started = time.monotonic()
        sink = Sink(into)
        try:
            held: list[bytes] = []
            size = waiting = 0
            async for chunk in response.content.iter_any():
                held.append(chunk)
                size, waiting = size + len(chunk), waiting + len(chunk)
                self._check_pace(size, time.monotonic() - started)
                if waiting >= _CHUNK:
                    await asyncio.to_thread(sink.write_all, held)
                    held, waiting = [], 0
            announced = response.content_length
            if announced is not None and announced != size:
                raise FetchFailed(Reason.INCOMPLETE, f"{size} bytes instead of {announced}")
            return await asyncio.to_thread(sink.finish, held)
        finally:
            sink.close()


def _retry_after(value: str | None) -> timedelta | None:
    return timedelta(seconds=min(int(value), _LONGEST_RETRY_AFTER)) if value and value.isdecimal() else None


def _document(body: bytes) -> Any:  # noqa: ANN401 - whatever the vendor sent
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return None
