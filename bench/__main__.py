"""`python -m bench router`: measure on this machine, against baselines in the same run."""

import argparse
import sys

from bench import router
from fareline_devstack.errors import DevstackError


def main() -> int:
    """Run the named benchmark and return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("which", choices=("router",))
    parser.add_argument("--bindings", type=int, default=1_000_000, help="live bindings in the replica")
    parser.add_argument("--tenants", type=int, default=20, help="tenants that share the bindings")
    parser.add_argument("--seconds", type=float, default=4, help="length of a round at full load")
    parser.add_argument("--paced-seconds", type=float, default=30, help="length of a round at 200 calls a second")
    parser.add_argument("--rounds", type=int, default=3, help="rounds after the first, which is not counted")
    options = parser.parse_args()
    try:
        router.run(
            router.Size(
                bindings=options.bindings,
                tenants=options.tenants,
                seconds=options.seconds,
                paced_seconds=options.paced_seconds,
                rounds=options.rounds,
            )
        )
    except DevstackError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
