"""`python -m bench router`: measure on this machine, against baselines in the same run."""

import argparse
import sys

from bench import router
from fareline_devstack.errors import DevstackError


def main() -> int:
    """Run the named benchmark and return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("which", choices=("router",))
    parser.add_argument("--bindings", type=int, default=100_000, help="live bindings in the replica")
    parser.add_argument("--requests", type=int, default=8_000, help="requests a round")
    parser.add_argument("--rounds", type=int, default=3, help="rounds after the first, which is not counted")
    options = parser.parse_args()
    try:
        router.run(router.Size(bindings=options.bindings, requests=options.requests, rounds=options.rounds))
    except DevstackError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
