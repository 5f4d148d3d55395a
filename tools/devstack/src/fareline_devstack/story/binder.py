"""order-binder's binding API as an app of the taxi platform uses it: one order, with a long poll."""

from collections.abc import Mapping
from dataclasses import dataclass
from time import perf_counter
from typing import Any

import httpx

from fareline_devstack.story.phones import readable

_WAIT_S = 2
_READ_TIMEOUT_S = 10.0


@dataclass(frozen=True, slots=True)
class ShownBinding:
    """What the apps show of an order; number and codes are None while nobody can be called."""

    state: str
    number: str | None
    driver_code: str | None
    client_code: str | None
    order_version: int
    reached: bool

    def words(self) -> str:
        """Return the binding in one readable line."""
        if self.number is None:
            return f"binding {self.state}: nobody can be called"
        codes = f"code {self.driver_code} (driver), {self.client_code} (client)"
        return f"binding {self.state}: {readable(self.number)}, {codes}"


class BinderRefused(Exception):
    """The binding API did not answer 200, or not in time."""


@dataclass(frozen=True, slots=True)
class BindingApi:
    """Reads bindings with a bearer token."""

    http: httpx.AsyncClient
    base_url: str
    token: str

    async def binding(self, tenant: str, order_id: str, *, min_version: int, within_s: float = 20.0) -> ShownBinding:
        """Return the binding once the order has version `min_version`. Raises BinderRefused after `within_s`."""
        deadline = perf_counter() + within_s
        while True:
            answer = await self.http.get(
                f"{self.base_url}/v1/tenants/{tenant}/orders/{order_id}/binding",
                params={"min_version": min_version, "wait": f"{_WAIT_S}s"},
                headers={"Authorization": f"Bearer {self.token}"},
                timeout=_READ_TIMEOUT_S,
            )
            if answer.status_code != httpx.codes.OK:
                raise BinderRefused(f"the binding API answered {answer.status_code}: {answer.text[:200]}")
            shown = shown_binding(answer.json())
            if shown.reached:
                return shown
            if perf_counter() > deadline:
                raise BinderRefused(f"version {min_version} of the order was not there after {within_s:.0f} s")


def shown_binding(document: Mapping[str, Any]) -> ShownBinding:
    """Return what an answer of the binding API says."""
    codes = document.get("codes") or {}
    return ShownBinding(
        state=document["state"],
        number=document.get("number"),
        driver_code=codes.get("driver"),
        client_code=codes.get("client"),
        order_version=document.get("order_version") or 0,
        reached=bool(document.get("reached")),
    )
