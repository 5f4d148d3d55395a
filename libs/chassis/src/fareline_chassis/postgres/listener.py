"""Hears NOTIFY on a connection of its own, for as long as it takes."""

import asyncio
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Final

import asyncpg

from fareline_chassis.backoff import Backoff
from fareline_chassis.logs import get_logger

_log = get_logger("fareline.listener")
_CONNECT_TIMEOUT_S: Final = 5.0
_PROBE_EVERY_S: Final = 15.0


Hear = Callable[[str], None]
"""Told what a notification says; an empty text means that it may have been anything."""


class Listener:
    """Tells each channel's hearer what was notified there, and after each (re)connection that it was anything.

    So what was sent while the connection was gone is covered. It saves latency only: whoever waits should look at the
    table from time to time all the same.
    """

    def __init__(self, dsn: str, hearers: Mapping[str, Hear]) -> None:
        """`hearers` by channel; they are called on the loop and must return at once."""
        self._dsn = dsn
        self._names = "+".join(hearers)
        self._hearers = dict(hearers)

    async def run(self) -> None:
        """Listen until cancelled; for `Background.spawn`."""
        backoff = Backoff(timedelta(milliseconds=100), timedelta(seconds=5))
        while True:
            try:
                await self._listen(backoff)
            except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
                _log.warning("not listening", channels=self._names, reason=f"{type(error).__name__}: {error}")
            await asyncio.sleep(backoff.next())

    async def _listen(self, backoff: Backoff) -> None:
        connection = await asyncpg.connect(
            self._dsn, timeout=_CONNECT_TIMEOUT_S, server_settings={"application_name": f"listen-{self._names}"}
        )
        lost = asyncio.Event()
        try:
            connection.add_termination_listener(lambda _: lost.set())
            for channel in self._hearers:
                await connection.add_listener(
                    channel, lambda _connection, _pid, heard, said: self._hearers[heard](said)
                )
            for hear in self._hearers.values():
                hear("")
            backoff.reset()
            while not lost.is_set():
                try:
                    await asyncio.wait_for(lost.wait(), _PROBE_EVERY_S)
                except TimeoutError:
                    await connection.execute("SELECT 1", timeout=_CONNECT_TIMEOUT_S)
            _log.warning("not listening", channels=self._names, reason="the connection was closed")
        finally:
            connection.terminate()
