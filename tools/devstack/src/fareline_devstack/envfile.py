"""`stack.env`: the addresses of a running system, for a shell to source and for scripts to read."""

import re
import shlex
from collections.abc import Mapping
from pathlib import Path

from fareline_devstack.errors import DevstackError

NAMES = (
    "KAFKA_BOOTSTRAP",
    "DATABASE_URL",
    "ORDER_BINDER_URL",
    "CALL_ROUTER_URL",
    "RECORDING_INGEST_URL",
    "FARELINE_TOKEN",
)
LINE = re.compile(r"([A-Z][A-Z0-9_]*)=(.*)")


def write_env(path: Path, values: Mapping[str, str]) -> None:
    """Write exactly the six variables of `NAMES`, readable by the owner only; a missing one is a `KeyError`."""
    text = "".join(f"{name}={shlex.quote(values[name])}\n" for name in NAMES)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch(mode=0o600)
    path.write_text(text)


def read_env(path: Path) -> dict[str, str]:
    """Return the variables of a file that `write_env` wrote; raise `DevstackError` where there is none."""
    try:
        lines = path.read_text().splitlines()
    except FileNotFoundError as absent:
        raise DevstackError(f"nothing is running: {path} does not exist; `make up` starts everything") from absent
    found = (LINE.fullmatch(line) for line in lines)
    return {match[1]: "".join(shlex.split(match[2])) for match in found if match}
