"""Waiting in tests: ask again until it is so, at most until a deadline."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

T = TypeVar("T")


async def eventually(look: Callable[[], Awaitable[T]], *, within: float = 60.0, every: float = 0.02) -> T:
    """Return the first truthy result of `look`; fail after `within` seconds."""
    async with asyncio.timeout(within):
        while not (result := await look()):
            await asyncio.sleep(every)
        return result
