"""`python -m fareline_devstack <command>`: exit code 2 and one sentence where something has to be installed."""

import sys

from rich.console import Console

from fareline_devstack.cli import build_app
from fareline_devstack.errors import DevstackError, StackUnavailable

FAILED = 1
UNAVAILABLE = 2


def main() -> int:
    """Run the command line; what went wrong in an expected way is said without a stack trace."""
    errors = Console(stderr=True, soft_wrap=True, highlight=False, markup=False)
    try:
        build_app()()
    except StackUnavailable as missing:
        errors.print(str(missing))
        return UNAVAILABLE
    except DevstackError as failed:
        errors.print(str(failed))
        return FAILED
    return 0


if __name__ == "__main__":
    sys.exit(main())
