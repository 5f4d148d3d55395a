"""Object storage through obstore: a directory by default, S3, Azure Blob or GCS by URL.

obstore's synchronous calls run in threads: its own asynchronous ones can abort the interpreter when it exits.
"""

import asyncio
import hashlib
import os
import shutil
from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import urlsplit

import obstore
from obstore.exceptions import AlreadyExistsError, NotFoundError
from obstore.store import LocalStore, from_url

from recording_ingest.ports import Fetched, StoreLost

_CHUNK = 512 * 1024
_INCOMING = "incoming"


class ObjectStorage:
    """Published objects are whole and never change; files in the making live in a scratch directory.

    With a directory as storage, scratch lies inside it, so that publishing is a rename that never overwrites.
    """

    def __init__(self, url: str, scratch: Path | None = None) -> None:
        """`url` is a path, `file://…`, or what obstore takes (`s3://bucket/prefix`, …), which needs `scratch`."""
        parts = urlsplit(url)
        self._root = (
            Path(parts.path if parts.scheme == "file" else url).resolve() if parts.scheme in ("", "file") else None
        )
        if self._root:
            self._root.mkdir(parents=True, exist_ok=True)
            self._scratch = self._root / _INCOMING
        elif scratch is None:
            raise ValueError("a remote storage needs a scratch directory")
        else:
            self._scratch = scratch
        self._scratch.mkdir(parents=True, exist_ok=True)
        self._store = LocalStore(self._root) if self._root else from_url(url)

    def scratch(self, name: str) -> Path:
        """Return a local path for a file in the making; what an earlier attempt left there is gone."""
        path = self._scratch / name
        path.unlink(missing_ok=True)
        return path

    async def recover(self, key: str, into: Path) -> Fetched | None:
        """Copy what is published under `key` to `into`; None when there is nothing."""
        return await asyncio.to_thread(self._recover, key, into)

    async def publish(self, path: Path, key: str) -> None:
        """Put the file at `key`, on disk when this returns. What is published there already stays."""
        await asyncio.to_thread(self._publish, path, key)

    async def read(self, key: str, start: int, end: int) -> AsyncIterator[bytes]:
        """Yield the bytes from `start` up to `end`, half a MiB at a time. Raises StoreLost."""
        for begin in range(start, end, _CHUNK):
            yield await asyncio.to_thread(self._range, key, begin, min(end, begin + _CHUNK))

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

    def _publish(self, path: Path, key: str) -> None:
        if self._root is None:
            obstore.put(self._store, key, path)
            return
        try:
            obstore.rename(self._store, f"{_INCOMING}/{path.name}", key, overwrite=False)
        except AlreadyExistsError:
            path.unlink(missing_ok=True)
        _flush_directory((self._root / key).parent)

    def free_bytes(self) -> int | None:
        """Return the free space of a directory storage, None for a remote one."""
        return shutil.disk_usage(self._root).free if self._root else None


def _flush_directory(directory: Path) -> None:
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
