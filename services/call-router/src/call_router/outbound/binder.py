"""Order-binder as the router asks it: over HTTP, in time, and with care."""

import time
from collections.abc import Callable
from datetime import timedelta

from call_router.outbound.binder_client import BinderClient
from call_router.outbound.careful_binder import Care, CarefulBinder
from call_router.ports import Found, Wanted


class OrderBinder:
    """The Binder port on a real order-binder; `close` it at the end."""

    def __init__(self, base_url: str, token: str, *, deadline: timedelta, on_result: Callable[[str], None]) -> None:
        self._client = BinderClient(base_url, token, deadline=deadline)
        self._careful = CarefulBinder(self._client, care=Care(), monotonic=time.monotonic, on_result=on_result)

    async def find(self, wanted: Wanted) -> Found | None:
        """Return what it knows, within the deadline; None if it cannot be asked just now, or knew nothing lately."""
        return await self._careful.find(wanted)

    async def close(self) -> None:
        """Close all connections."""
        await self._client.close()
