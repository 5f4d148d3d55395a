"""Object storage through obstore: a directory by default, S3, Azure Blob or GCS by URL.

obstore's synchronous calls run in threads: its own asynchronous ones can abort the interpreter when it exits.
Credentials and endpoints come from the environment, under the providers' own names (`AWS_…`, `AZURE_…`, `GOOGLE_…`).
"""

import asyncio
import contextlib
import hashlib
import os
import time
from collections.abc import AsyncIterator, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import obstore
from obstore.exceptions import AlreadyExistsError, NotFoundError
from obstore.store import LocalStore, S3Store, from_url

from recording_ingest.ports.downloads import Fetched
from recording_ingest.ports.storage import StoreLost

_CHUNK = 512 * 1024
_ONE_PUT = 8 * 1024 * 1024
_PART = 8 * 1024 * 1024
_INCOMING = "incoming"
_PUBLISHED = "audio"
_PATIENCE = {"timeout": "60 seconds", "connect_timeout": "10 seconds"}
_RETRIES: Any = {"max_retries": 5, "retry_timeout": timedelta(seconds=60)}


class ObjectStorage:
    """Published objects are whole and never change; files in the making live in a scratch directory.

    With a directory as storage, scratch lies inside it, so that publishing is a rename that never overwrites. Elsewhere
    a large file goes to a temporary key first and is copied from there on condition that nothing is published yet.
    """

    def __init__(self, url: str, scratch: Path | None = None) -> None:
        """`url` is a path, `file://…`, or what obstore takes (`s3://bucket/prefix`, …), which needs `scratch`."""
        parts = urlsplit(url)
        self._root: Path | None = None
        if parts.scheme in ("", "file"):
            self._root = Path(parts.path or url).resolve()
        if self._root:
            self._root.mkdir(parents=True, exist_ok=True)
            self._scratch = self._root / _INCOMING
        elif scratch is None:
            raise ValueError("a remote storage needs a scratch directory")
        else:
            self._scratch = scratch
        self._scratch.mkdir(parents=True, exist_ok=True)
        self._store = LocalStore(self._root) if self._root else _remote(url, parts.scheme)

    def scratch(self, name: str) -> Path:
        """Return a local path for a file in the making; what an earlier attempt left there is gone."""
        path = self._scratch / name
        path.unlink(missing_ok=True)
        return path

    async def recover(self, key: str, into: Path) -> Fetched | None:
        """Copy what is published under `key` to `into`; None when there is nothing."""
        return await asyncio.to_thread(self._recover, key, into)

    async def publish(self, path: Path, key: str) -> bool:
        """Put the file at `key`, on disk when this returns; False where something is published there, which stays."""
        return await asyncio.to_thread(self._publish, path, key)

    async def read(self, key: str, start: int, end: int) -> AsyncIterator[bytes]:
        """Yield the bytes from `start` up to `end`, half a MiB at a time. Raises StoreLost."""
        for begin in range(start, end, _CHUNK):
            yield await asyncio.to_thread(self._range, key, begin, min(end, begin + _CHUNK))

    async def remove(self, keys: Sequence[str]) -> None:
        """Remove published objects; those that are not there are passed over."""
        await asyncio.to_thread(self._remove, keys)

    async def published(self, *, before: datetime) -> AsyncIterator[list[str]]:
        """Yield the keys of objects that were published before a time, some hundreds at once."""
        batches = iter(obstore.list(self._store, f"{_PUBLISHED}/", chunk_size=500))
        while (batch := await asyncio.to_thread(next, batches, None)) is not None:
            yield [found["path"] for found in batch if found["last_modified"] < before]

    def sweep(self, *, older_than: timedelta) -> int:
        """Remove what killed workers left of files in the making, and return how many files that were."""
        limit = time.time() - older_than.total_seconds()
        found = [path for path in self._scratch.iterdir() if path.is_file() and path.stat().st_mtime < limit]
        for path in found:
            path.unlink(missing_ok=True)
        return len(found) + (0 if self._root else self._sweep_remote(limit))

    def _sweep_remote(self, limit: float) -> int:
        batches = obstore.list(self._store, f"{_INCOMING}/")
        old = [found["path"] for batch in batches for found in batch if found["last_modified"].timestamp() < limit]
        self._remove(old)
        return len(old)

    def _range(self, key: str, start: int, end: int) -> bytes:
        try:
            return bytes(obstore.get_range(self._store, key, start=start, end=end))
        except (FileNotFoundError, NotFoundError) as error:
            raise StoreLost(key) from error

    def _recover(self, key: str, into: Path) -> Fetched | None:
        digest, size = hashlib.sha256(), 0
        try:
            found = obstore.get(self._store, key)
        except (FileNotFoundError, NotFoundError):
            return None
        with into.open("wb") as file:
            for chunk in found:
                digest.update(chunk)
                size += file.write(chunk)
        return Fetched(digest.hexdigest(), size)

    def _publish(self, path: Path, key: str) -> bool:
        try:
            if self._root is None:
                self._upload(path, key)
            else:
                obstore.rename(self._store, f"{_INCOMING}/{path.name}", key, overwrite=False)
                _flush_directory((self._root / key).parent)
        except AlreadyExistsError:
            return False
        return True

    def _upload(self, path: Path, key: str) -> None:
        if path.stat().st_size <= _ONE_PUT:
            obstore.put(self._store, key, path, mode="create", use_multipart=False)
            return
        temporary = f"{_INCOMING}/{path.name}"
        try:
            obstore.put(self._store, temporary, path, chunk_size=_PART, max_concurrency=2)
            obstore.copy(self._store, temporary, key, overwrite=False)
        finally:
            self._remove([temporary])

    def _remove(self, keys: Sequence[str]) -> None:
        for key in keys:
            with contextlib.suppress(FileNotFoundError, NotFoundError):
                obstore.delete(self._store, key)


def _remote(url: str, scheme: str) -> Any:  # noqa: ANN401 - obstore has a class for each provider
    if scheme == "memory":
        return from_url(url)
    allow_http = os.environ.get("AWS_ALLOW_HTTP", "").lower() == "true"
    patience: Any = {**_PATIENCE, "allow_http": allow_http}
    if scheme in ("s3", "s3a"):
        # S3 has no conditional copy, but the last step of a copy in parts can be made conditional.
        return S3Store.from_url(
            url, config={"copy_if_not_exists": "multipart"}, client_options=patience, retry_config=_RETRIES
        )
    return from_url(url, client_options=patience, retry_config=_RETRIES)


def _flush_directory(directory: Path) -> None:
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
