"""Files that change while a service runs: tokens, accounts and keys, as Kubernetes or an editor replaces them."""

import asyncio
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Final

from fareline_chassis.logs import get_logger

Stamp = tuple[int, int, int] | None
EVERY: Final = timedelta(seconds=2)
log = get_logger(__name__)


async def follow_file(path: Path, renew: Callable[[], object], *, every: timedelta = EVERY) -> None:
    """Call `renew` whenever the file at `path` is another one than before, or has other content; until cancelled.

    What `renew` raises is logged, and what was read before stays in force until the file changes again.
    """
    seen = await asyncio.to_thread(stamp_of, path)
    while True:
        await asyncio.sleep(every.total_seconds())
        stamp = await asyncio.to_thread(stamp_of, path)
        if stamp in (seen, None):
            continue
        seen = stamp
        try:
            renew()
        except Exception as error:  # noqa: BLE001 - a bad file must not take away what works
            log.warning("file.unusable", file=path.name, error=str(error))
        else:
            log.info("file.renewed", file=path.name)


def stamp_of(path: Path) -> Stamp:
    """Return what changes whenever the file does, through symbolic links too; None while there is no such file."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino
