"""Which port each server gets: a free one, or one counted from `FARELINE_PORT_BASE`."""

import itertools
import os
import secrets
import socket
from collections.abc import Mapping

from fareline_devstack.errors import DevstackError, PortTaken

HOST = "127.0.0.1"
BASE_VARIABLE = "FARELINE_PORT_BASE"
LAST_PORT = 65535
FREE_FROM = 20_000
FREE_BELOW = 32_000


def free_port() -> int:
    """Return a port of the loopback interface that nobody uses, at random.

    From below the range that systems give to outgoing connections, one of which could take it before a server does.
    """
    while True:
        port = FREE_FROM + secrets.randbelow(FREE_BELOW - FREE_FROM)
        if is_free(port):
            return port


def is_free(port: int) -> bool:
    """Whether a server could listen on `port` now."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
    return True


def require_free(port: int, purpose: str, *, variable: str) -> int:
    """Return `port`, or raise `PortTaken` saying what it was wanted for and which variable names another."""
    if not is_free(port):
        raise PortTaken(port, purpose, variable)
    return port


def port_of(environment: Mapping[str, str], variable: str) -> int | None:
    """Return the port that a variable names, None where it is unset; raise `DevstackError` where it is no port."""
    text = environment.get(variable, "")
    if not text:
        return None
    if not text.isdecimal() or not 0 < int(text) <= LAST_PORT:
        raise DevstackError(f"{variable} must be a port number from 1 to {LAST_PORT}, not {text!r}")
    return int(text)


class Ports:
    """Hands out ports: counted up from `base` where one is given (each must be free), any free ones otherwise."""

    def __init__(self, base: int | None = None) -> None:
        self._counted = None if base is None else itertools.count(base)

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] = os.environ) -> "Ports":
        """Read `FARELINE_PORT_BASE`; raise `DevstackError` where it is no port number."""
        return cls(port_of(environment, BASE_VARIABLE))

    def take(self, purpose: str) -> int:
        """Return the next port; raise `PortTaken` naming `purpose` where a counted one is in use."""
        if self._counted is None:
            return free_port()
        return require_free(next(self._counted), purpose, variable=BASE_VARIABLE)
