"""Order-binder's lookup over HTTP."""

import asyncio
from datetime import timedelta

import httpx

from call_router.ports import Found, Wanted
from call_router.records.bindings import Unreadable
from call_router.records.lookup import lookup_body, read_found

_CONNECTIONS = 16


class BinderUnavailable(Exception):
    """Order-binder gave no usable answer in time. The text names the kind of failure only."""


class BinderClient:
    """Asks order-binder about one call, in all tenants whose call it may be."""

    def __init__(self, base_url: str, token: str, *, deadline: timedelta) -> None:
        """`deadline` bounds the whole question, connecting included."""
        self._deadline = deadline.total_seconds()
        self._http = httpx.AsyncClient(
            base_url=base_url,
            headers={"authorization": f"Bearer {token}", "content-type": "application/json"},
            limits=httpx.Limits(max_connections=_CONNECTIONS),
            trust_env=False,
        )

    async def close(self) -> None:
        """Close all connections."""
        await self._http.aclose()

    async def find(self, wanted: Wanted) -> Found:
        """Return what order-binder knows; raises BinderUnavailable."""
        try:
            async with asyncio.timeout(self._deadline):
                found = await asyncio.gather(*(self._ask(tenant, wanted) for tenant in wanted.tenants))
        except (httpx.HTTPError, TimeoutError, Unreadable) as error:
            raise BinderUnavailable(type(error).__name__) from error
        whose = next((answer for answer in found if answer.number is not None), None)
        return whose or found[0]

    async def _ask(self, tenant: str, wanted: Wanted) -> Found:
        answer = await self._http.post(f"/v1/tenants/{tenant}/bindings/lookup", content=lookup_body(wanted))
        if answer.status_code == httpx.codes.NOT_FOUND:
            return Found(())
        answer.raise_for_status()
        return read_found(answer.content)
