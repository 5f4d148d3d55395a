"""A process that fills a spool until it is killed; it prints the number of each event that was written."""

import sys
from pathlib import Path

from call_router.records.events import CallEvents, EventRecord
from call_router.spool.lines import to_line
from call_router.spool.spool import Spool


async def _nowhere(records: object) -> None:
    raise ConnectionError


def event(number: int, size: int = 200) -> EventRecord:
    return EventRecord(
        "fareline.calls.v1", b"call", b'{"n":%d,"pad":"%s"}' % (number, b"x" * size), (("ce_id", b"%d" % number),)
    )


def main() -> None:
    spool = Spool(Path(sys.argv[1]), events=CallEvents("/test"), limit_bytes=10**9, send=_nowhere)
    number = 0
    while True:
        spool.writer.append(to_line(event(number)))
        sys.stdout.write(f"{number}\n")
        sys.stdout.flush()
        number += 1


if __name__ == "__main__":
    main()
