"""Which port each server gets: a free one, or one counted from `FARELINE_PORT_BASE`."""

import itertools
import os
import socket
from collections.abc import Mapping

from fareline_devstack.errors import DevstackError, PortTaken

HOST = "127.0.0.1"
BASE_VARIABLE = "FARELINE_PORT_BASE"
LAST_PORT = 65535


def free_port() -> int:
    """Return a port of the loopback interface that nobody used a moment ago."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])


def require_free(port: int, purpose: str) -> int:
    """Return `port`, or raise `PortTaken` saying what it was wanted for."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError as taken:
            raise PortTaken(port, purpose) from taken
    return port


class Ports:
    """Hands out ports: counted up from `base` where one is given (each must be free), any free ones otherwise."""

    def __init__(self, base: int | None = None) -> None:
        self._counted = None if base is None else itertools.count(base)

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] = os.environ) -> "Ports":
        """Read `FARELINE_PORT_BASE`; raise `DevstackError` where it is no port number."""
        text = environment.get(BASE_VARIABLE, "")
        if not text:
            return cls()
        if not text.isdecimal() or not 0 < int(text) <= LAST_PORT:
            raise DevstackError(f"{BASE_VARIABLE} must be a port number from 1 to {LAST_PORT}, not {text!r}")
        return cls(int(text))

    def take(self, purpose: str) -> int:
        """Return the next port; raise `PortTaken` naming `purpose` where a counted one is in use."""
        if self._counted is None:
            return free_port()
        return require_free(next(self._counted), purpose)
