"""Calls of one bound driver, one after another, against whatever routers there are, and what became of each."""

import asyncio
import sys
from contextlib import suppress
from time import perf_counter
from zlib import crc32

import httpx

from fareline_contracts.orders import OrderStatus
from fareline_devstack.story.calls import PbxRefused
from fareline_devstack.story.orders import TaxiOrder
from fareline_devstack.story.people import Person
from fareline_devstack.story.zadarma import Zadarma

PAUSE_S = 0.05
WITHIN_S = 120.0


async def bound_order(stage, order_id):
    """Return an accepted order of the tenant with one number; its driver has no other."""
    last = f"{crc32(order_id.encode()) % 10_000_000:07d}"
    driver = Person(f"d-{order_id}", "a driver under load", f"+7903{last}")
    client = Person(f"c-{order_id}", "a client under load", f"+7926{last}")
    order = TaxiOrder("solo", order_id, client)
    await many_calls_are_fine(stage, order.tenant)
    await stage.platform.publish(order.become(OrderStatus.ACCEPTED, driver=driver))
    await order_is_known(stage, order)
    return order


async def many_calls_are_fine(stage, tenant):
    """Lift the limit on how often one may call: here one driver does what hundreds do elsewhere."""
    answer = await stage.binder.http.put(
        f"{stage.binder.base_url}/v1/tenants/{tenant}",
        headers={"Authorization": f"Bearer {stage.binder.token}"},
        json={"region": "RU", "policy": {"limits": {"dials_active": {"count": 1000, "minutes": 1}}}, "staff": []},
    )
    assert answer.is_success, answer.text


async def order_is_known(stage, order):
    """Return once the binding API has the order's last version, whatever it answers in between."""
    deadline = perf_counter() + WITHIN_S
    while True:
        with suppress(Exception):
            return await stage.binder.binding(order.tenant, order.order_id, min_version=order.version, within_s=5)
        assert perf_counter() < deadline, f"version {order.version} of {order.order_id} never came"
        await asyncio.sleep(0.5)


class Load:
    """A context manager that calls all the time. `routers` may be changed by the test while it runs."""

    def __init__(self, stage, order, *, routers=None, may_fail=False):
        self._stage, self._order, self._may_fail = stage, order, may_fail
        self._routers = routers or [stage.zadarma.router_url]
        self.answered, self.failures, self.longest = [], [], 0.0
        self._number = None

    async def __aenter__(self):
        order = self._order
        shown = await self._stage.binder.binding(order.tenant, order.order_id, min_version=order.version)
        self._number = shown.number
        await self._until_routed()
        self._task = asyncio.create_task(self._call_on())
        return self

    async def __aexit__(self, *_):
        self._task.cancel()
        with suppress(asyncio.CancelledError):
            await self._task
        counts = f"{len(self.answered)} calls answered, {len(self.failures)} not"
        sys.stdout.write(f"\n{counts}, longest {self.longest * 1000:.0f} ms\n")

    async def answered_more(self, count):
        """Return once `count` more calls were answered, as long as nothing failed that may not."""
        wanted, deadline = len(self.answered) + count, perf_counter() + WITHIN_S
        while len(self.answered) < wanted:
            assert self._may_fail or not self.failures, self.failures[:3]
            assert perf_counter() < deadline, f"{len(self.answered)} of {wanted} answered; {self.failures[-1:]}"
            await asyncio.sleep(0.05)

    async def missing_from_the_log(self):
        """Return the calls that were answered and that the call log does not show, after waiting for them."""
        deadline = perf_counter() + WITHIN_S
        while True:
            rows = await self._stage.call_log.calls(self._stage.opened_at)
            missing = set(self.answered) - {row["pbx_call_id"] for row in rows}
            if not missing or perf_counter() > deadline:
                return missing
            await asyncio.sleep(1)

    def _call(self):
        zadarma = self._stage.zadarma
        router = Zadarma(zadarma.http, self._routers[-1], zadarma.account)
        return router.call(self._order.driver.phone, self._number)

    async def _until_routed(self):
        deadline = perf_counter() + WITHIN_S
        while not self._right(await self._call().start()):
            assert perf_counter() < deadline, "the order never became routable"
            await asyncio.sleep(0.1)

    async def _call_on(self):
        while True:
            call, began = self._call(), perf_counter()
            try:
                answered = await call.start()
            except (PbxRefused, httpx.HTTPError) as failed:
                self.failures.append(repr(failed))
            else:
                self.longest = max(self.longest, perf_counter() - began)
                self.answered.append(call.pbx_call_id)
                if not self._right(answered):
                    self.failures.append(f"routed wrongly: {answered.route.words()}")
            await asyncio.sleep(PAUSE_S)

    def _right(self, answered):
        return self._order.client.phone == answered.route.phone
