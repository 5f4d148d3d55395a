"""Hears NOTIFY on a connection of its own, for as long as it takes."""

import asyncio
from collections.abc import Mapping
from datetime import timedelta
from typing import Final

import asyncpg

from fareline_chassis.backoff import Backoff
from fareline_chassis.logs import get_logger

_log = get_logger("fareline.listener")
_CONNECT_TIMEOUT_S: Final = 5.0
_PROBE_EVERY_S: Final = 15.0


class Listener:
    """Sets a channel's event whenever something was notified there, and all of them after each (re)connection.

    Several notifications may become one; what was sent while the connection was gone is covered by the event after
    the reconnection. It saves latency only: whoever waits should look at the table from time to time all the same.
    """

    def __init__(self, dsn: str, *channels: str) -> None:
        self._dsn = dsn
        self._names = "+".join(channels)
        self.events: Mapping[str, asyncio.Event] = {channel: asyncio.Event() for channel in channels}

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
            for channel in self.events:
                await connection.add_listener(channel, lambda _connection, _pid, heard, _payload: self._hear(heard))
            for event in self.events.values():
                event.set()
            backoff.reset()
            while not lost.is_set():
                try:
                    await asyncio.wait_for(lost.wait(), _PROBE_EVERY_S)
                except TimeoutError:
                    await connection.execute("SELECT 1", timeout=_CONNECT_TIMEOUT_S)
            _log.warning("not listening", channels=self._names, reason="the connection was closed")
        finally:
            connection.terminate()

    def _hear(self, channel: str) -> None:
        self.events[channel].set()
