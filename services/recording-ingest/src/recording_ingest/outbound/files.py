"""Files in the making: written as they come, counted and digested on the way, on disk when they are finished."""

import hashlib
import os
from collections.abc import Iterable
from pathlib import Path

from recording_ingest.ports.downloads import Fetched

_ALGORITHMS = {"sha-256": hashlib.sha256, "sha-512": hashlib.sha512}


class Sink:
    """One file being written. `size` is what came so far."""

    def __init__(self, path: Path, algorithms: tuple[str, ...] = ()) -> None:
        """`algorithms`: digests wanted besides SHA-256, by their names in HTTP (`sha-512`)."""
        self._file = path.open("wb", buffering=0)
        self._sha256 = hashlib.sha256()
        self._others = {name: _ALGORITHMS[name]() for name in algorithms if name != "sha-256"}
        self._wanted = algorithms
        self.size = 0

    def write(self, chunk: bytes) -> None:
        """Append."""
        self._file.write(chunk)
        self._sha256.update(chunk)
        for digest in self._others.values():
            digest.update(chunk)
        self.size += len(chunk)

    def write_all(self, chunks: Iterable[bytes]) -> None:
        """Append one after another."""
        for chunk in chunks:
            self.write(chunk)

    def finish(self, chunks: Iterable[bytes] = ()) -> Fetched:
        """Append what is left, flush to disk and return what the file is."""
        self.write_all(chunks)
        os.fsync(self._file.fileno())
        return Fetched(self._sha256.hexdigest(), self.size)

    def digests(self) -> dict[str, bytes]:
        """Return the digests that were wanted."""
        return {name: self._others.get(name, self._sha256).digest() for name in self._wanted}

    def close(self) -> None:
        """Close the file, finished or not."""
        self._file.close()
