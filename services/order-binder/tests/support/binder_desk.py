"""The application of order-binder on stand-ins, for tests of its HTTP interface."""

import asyncio
import hashlib
import time

import httpx
from binder_fakes import OrdersInMemory, RegistryInMemory, SinkInMemory
from prometheus_client import CollectorRegistry

from fareline_chassis.auth import Grant, TokenBook
from fareline_chassis.health import Health, health_routes
from order_binder.inbound.http import build_http
from order_binder.inbound.http_orders import OrderRoutes
from order_binder.inbound.http_registry import RegistryRoutes
from order_binder.ports.registry import TenantEntry
from order_binder.usecases.lookup_bindings import LookupBindings
from order_binder.usecases.put_number import PutNumber, WithdrawNumber
from order_binder.usecases.put_tenant import PutTenant
from order_binder.usecases.show_binding import ShowBinding
from order_binder.usecases.submit_order import SubmitOrders


class Waiting:
    """A clock that only sleeping moves, and what happens on the way."""

    def __init__(self):
        self.at, self.then = 0.0, []

    async def sleep(self, seconds):
        self.at += seconds
        for due, act in self.then:
            if self.at >= due:
                act()

    def monotonic(self):
        return self.at


class RealTime:
    """Waits as long as it says."""

    sleep = staticmethod(asyncio.sleep)
    monotonic = staticmethod(time.monotonic)


class Desk:
    """The application with its stand-ins; `waiting` is the time that long polls go by."""

    def __init__(self, waiting=None):
        self.registry, self.orders, self.sink, self.waiting = (
            RegistryInMemory(),
            OrdersInMemory(),
            SinkInMemory(),
            waiting or Waiting(),
        )
        self.registry.tenants["demo"] = TenantEntry("demo", "RU", {}, (), 1)
        grants = {
            "all": ("demo", "*"),
            "reader": ("demo", "bindings:read"),
            "other": ("solo", "*"),
            "tenants": ("demo", "tenants:read"),
        }
        tokens = TokenBook(
            (hashlib.sha256(name.encode()).digest(), Grant(name, frozenset({tenant}), frozenset({scope})))
            for name, (tenant, scope) in grants.items()
        )
        show = ShowBinding(self.orders, sleep=self.waiting.sleep, monotonic=self.waiting.monotonic)
        lookup = LookupBindings(self.orders, self.registry)
        self.stopping = False
        submit = SubmitOrders(self.sink, self.registry)
        orders = OrderRoutes(tokens, submit, show, lookup, stopping=lambda: self.stopping)
        put = PutNumber(self.registry), WithdrawNumber(self.registry, self.registry.vacate), PutTenant(self.registry)
        routes = RegistryRoutes(tokens, *put, self.registry)
        self.app = build_http(orders, routes, health_routes(Health(), CollectorRegistry()))
        self.http = httpx.AsyncClient(
            transport=httpx.ASGITransport(self.app), base_url="http://binder", headers={"Authorization": "Bearer all"}
        )
