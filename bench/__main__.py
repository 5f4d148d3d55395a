"""`python -m bench <which>`: measure on this machine, against baselines in the same run."""

import argparse
import sys

from bench import binder, binder_freshness, calllog, projection, recordings, router
from fareline_devstack.errors import DevstackError


def main() -> int:
    """Run the named benchmark and return the exit status."""
    options = _parser().parse_args()
    try:
        options.run(options)
    except DevstackError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    which = parser.add_subparsers(required=True, metavar="which")

    one = which.add_parser("router", help="answers of call-router (P1) and its replica's load (P4)")
    size = router.Size()
    one.add_argument("--bindings", type=int, default=size.bindings, help="live bindings in the replica")
    one.add_argument("--tenants", type=int, default=size.tenants, help="tenants that share the bindings")
    one.add_argument("--seconds", type=float, default=size.seconds, help="length of a round at full load")
    one.add_argument("--paced-seconds", type=float, default=size.paced_seconds, help="of one at 200 calls a second")
    _rounds(one)
    one.set_defaults(
        run=lambda given: router.run(
            router.Size(given.bindings, given.tenants, given.seconds, given.paced_seconds, given.rounds)
        )
    )

    one = which.add_parser("calllog", help="analysts' questions to recording-ingest (P6)")
    one.add_argument("--calls", type=int, default=calllog.Size().calls, help="calls in the table")
    one.add_argument("--questions", type=int, default=calllog.Size().questions, help="of each kind in a round")
    _rounds(one)
    one.set_defaults(run=lambda given: calllog.run(calllog.Size(given.calls, given.questions, given.rounds)))

    one = which.add_parser("projection", help="call events into the call log (P6)")
    one.add_argument("--calls", type=int, default=projection.Size().calls, help="calls of four events a round")
    one.add_argument("--batch", type=int, default=projection.Size().batch, help="events in a batch")
    _rounds(one)
    one.set_defaults(run=lambda given: projection.run(projection.Size(given.calls, given.batch, given.rounds)))

    one = which.add_parser("recordings", help="recordings stored (P5)")
    files = recordings.Size()
    one.add_argument("--files", type=int, default=files.files, help="files a round")
    one.add_argument("--seconds", type=int, default=files.seconds, help="of audio in each")
    one.add_argument("--workers", type=int, default=files.workers, help="connections at a time")
    one.add_argument("--large-mb", type=int, default=files.large_mb, help="size of the large file")
    _rounds(one)
    one.set_defaults(
        run=lambda given: recordings.run(
            recordings.Size(given.files, given.seconds, given.workers, given.rounds, given.large_mb)
        )
    )

    one = which.add_parser("binder", help="order events ingested (P3), and until they are routable (P2)")
    one.add_argument("--events", type=int, default=binder.Size().events, help="order events a round")
    one.add_argument("--profile", action="store_true", help="print where the time of ingestion goes")
    fresh = binder_freshness.Size()
    one.add_argument("--seconds", type=float, default=fresh.seconds, help="length of a round at a steady rate")
    one.add_argument("--backlog", type=int, default=fresh.backlog, help="events to catch up with; 0: none")
    one.add_argument("--only", choices=("ingestion", "freshness", "backlog"), help="leave out the other parts")
    _rounds(one)
    one.set_defaults(run=_binder)
    return parser


def _binder(given: argparse.Namespace) -> None:
    if given.only in (None, "ingestion"):
        binder.run(binder.Size(given.events, given.rounds, given.profile))
    if given.only != "ingestion":
        backlog = 0 if given.only == "freshness" else given.backlog
        paced = given.only != "backlog"
        binder_freshness.run(binder_freshness.Size(given.seconds, given.rounds, backlog, paced))


def _rounds(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--rounds", type=int, default=3, help="rounds after the first, which is not counted")


if __name__ == "__main__":
    sys.exit(main())
