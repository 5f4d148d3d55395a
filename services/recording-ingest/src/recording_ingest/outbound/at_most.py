"""At most so many connections to sources at a time, while what follows a download goes on beside the next ones."""

import asyncio
from pathlib import Path

from recording_ingest.domain.recordings import Recording
from recording_ingest.ports.downloads import Fetched, Source


class AtMost:
    """A source that is asked by at most `limit` at a time; the others wait."""

    def __init__(self, source: Source, limit: int) -> None:
        self._source = source
        self._turn = asyncio.Semaphore(limit)

    async def fetch(self, entry: Recording, into: Path) -> Fetched:
        """Fetch as `source` does, when it is one's turn."""
        async with self._turn:
            return await self._source.fetch(entry, into)
