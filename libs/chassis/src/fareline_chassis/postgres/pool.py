"""A pool of connections that may come and go; whoever uses it gets one that works, or DatabaseUnavailable."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from datetime import timedelta
from typing import Any, Final, TypeAlias, TypeVar

import asyncpg
import orjson
from asyncpg.pool import PoolConnectionProxy

from fareline_chassis.backoff import Backoff
from fareline_chassis.health import HealthComponent
from fareline_chassis.lifecycle import wait_for
from fareline_chassis.postgres.errors import DatabaseUnavailable, connection_lost, retryable

Connection: TypeAlias = "asyncpg.Connection[asyncpg.Record] | PoolConnectionProxy[asyncpg.Record]"
"""What statements are run on, pooled or not."""

T = TypeVar("T")

_CONNECT_TIMEOUT_S: Final = 5.0
_ACQUIRE_TIMEOUT_S: Final = 5.0
_COMMAND_TIMEOUT_S: Final = 60.0
_PING_EVERY_S: Final = 5.0


class Database:
    """Connections to one database, at least `min_size` and at most `max_size` of them.

    `component` says whether they work. Sessions run in UTC; jsonb and json columns are Python objects both ways.
    `search_path` and `application_name` are set on every connection. `keep_session` spares the round trip with which a
    connection given back is cleared of settings, listeners and session locks: for users who leave none of these.
    """

    def __init__(
        self,
        dsn: str,
        min_size: int,
        max_size: int,
        component: HealthComponent,
        *,
        application_name: str = "fareline",
        search_path: str | None = None,
        keep_session: bool = False,
        longest_pause: timedelta | None = None,
        parameters: Mapping[str, str] | None = None,
    ) -> None:
        """`longest_pause` in a transaction ends it: a frozen process would hold its locks for ever.

        A whole transaction may then take twice as long at most: a process frozen between two messages of one statement
        counts as busy, and no other time-out ends it (PostgreSQL 17 or later). `parameters` are further ones of
        PostgreSQL for each session.
        """
        self._dsn = dsn
        self._sizes = (min_size, max_size)
        self._component = component
        self._pool: asyncpg.Pool[asyncpg.Record] | None = None
        self._reset = _keep if keep_session else None
        self._session = {"application_name": application_name, "TimeZone": "UTC", **(parameters or {})}
        if search_path:
            self._session["search_path"] = search_path
        if longest_pause:
            milliseconds = int(longest_pause.total_seconds() * 1000)
            self._session["idle_in_transaction_session_timeout"] = str(milliseconds)
            self._session["transaction_timeout"] = str(2 * milliseconds)

    async def connect(self) -> None:
        """Open the pool, waiting for the database as long as it takes."""
        self._pool = await wait_for("PostgreSQL", self._open, component=self._component)

    async def close(self, timeout: timedelta = timedelta(seconds=5)) -> None:  # noqa: ASYNC109 - bounds the wait only
        """Close the pool once its connections are given back, or after `timeout` without waiting for them."""
        pool, self._pool = self._pool, None
        if pool is None:
            return
        self._component.waiting("closed")
        try:
            await asyncio.wait_for(pool.close(), timeout.total_seconds())
        except TimeoutError:
            pool.terminate()

    @contextlib.asynccontextmanager
    async def acquire(self) -> AsyncIterator[Connection]:
        """Yield a connection outside any transaction.

        Raises DatabaseUnavailable where there is none within 5 s. Loss of the connection inside the block comes out as
        asyncpg raises it, see `errors.connection_lost`, or as DatabaseUnavailable where that would not tell.
        """
        connection = await self._take()
        try:
            yield connection
        except Exception as error:
            if connection.is_closed():
                self._component.failed(_reason(error))
                if not connection_lost(error):
                    raise DatabaseUnavailable(_reason(error)) from error
            raise
        finally:
            await self._give_back(connection)

    @contextlib.asynccontextmanager
    async def transaction(self, *, isolation: str | None = None, readonly: bool = False) -> AsyncIterator[Connection]:
        """Yield a connection inside a transaction: committed at the end of the block, rolled back on an exception.

        `isolation` is asyncpg's (`repeatable_read`, `serializable`). Raises DatabaseUnavailable as `acquire` does.
        """
        async with self.acquire() as connection:
            options: dict[str, Any] = {"isolation": isolation} if isolation else {}
            async with connection.transaction(readonly=readonly, **options):
                yield connection

    async def in_transaction(
        self, fn: Callable[[Connection], Awaitable[T]], *, attempts: int = 5, isolation: str | None = None
    ) -> T:
        """Run `fn` in a transaction and return its result; a transaction that could not be helped is begun anew.

        That is: serialisation failure, deadlock, connection loss, an outdated plan; `attempts` times in all.
        `fn` may run several times, and after a loss its first run may have been committed: it must be idempotent.
        """
        backoff = Backoff(timedelta(milliseconds=20), timedelta(seconds=1))
        for _ in range(attempts - 1):
            try:
                async with self.transaction(isolation=isolation) as connection:
                    return await fn(connection)
            except Exception as error:
                if not retryable(error):
                    raise
            await asyncio.sleep(backoff.next())
        async with self.transaction(isolation=isolation) as connection:
            return await fn(connection)

    async def watch(self) -> None:
        """Keep `component` true to fact while nobody asks the database anything; runs until cancelled."""
        while True:
            await asyncio.sleep(_PING_EVERY_S)
            with contextlib.suppress(DatabaseUnavailable, asyncpg.PostgresError, asyncpg.InterfaceError, OSError):
                async with self.acquire() as connection:
                    await connection.execute("SELECT 1", timeout=_ACQUIRE_TIMEOUT_S)

    async def _open(self) -> "asyncpg.Pool[asyncpg.Record]":
        least, most = self._sizes
        return await asyncpg.create_pool(
            self._dsn,
            min_size=least,
            max_size=most,
            timeout=_CONNECT_TIMEOUT_S,
            command_timeout=_COMMAND_TIMEOUT_S,
            server_settings=self._session,
            init=prepare_connection,
            reset=self._reset,
        )

    async def _take(self) -> "PoolConnectionProxy[asyncpg.Record]":
        if self._pool is None:
            raise DatabaseUnavailable("not connected")
        try:
            connection = await self._pool.acquire(timeout=_ACQUIRE_TIMEOUT_S)
        except TimeoutError as error:
            raise DatabaseUnavailable("no connection within 5 s") from error
        except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
            self._component.failed(_reason(error))
            raise DatabaseUnavailable(_reason(error)) from error
        if self._component.state != "ok":
            self._component.ok()
        return connection

    async def _give_back(self, connection: "PoolConnectionProxy[asyncpg.Record]") -> None:
        pool = self._pool
        if pool is None:
            connection.terminate()
            return
        with contextlib.suppress(OSError, asyncpg.PostgresError, asyncpg.InterfaceError):
            await pool.release(connection)


async def _keep(_: Connection) -> None:
    """Leave a connection's session as it is."""


async def prepare_connection(connection: Connection) -> None:
    """Make jsonb and json columns of `connection` Python objects, both ways."""
    await connection.set_type_codec(
        "jsonb",
        schema="pg_catalog",
        format="binary",
        encoder=lambda value: b"\x01" + orjson.dumps(value),
        decoder=lambda data: orjson.loads(data[1:]),
    )
    await connection.set_type_codec(
        "json", schema="pg_catalog", encoder=lambda value: orjson.dumps(value).decode(), decoder=orjson.loads
    )


def _reason(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"
