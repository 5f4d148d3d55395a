"""The composition root: which part is made of what, in which order they start and stop."""

import asyncio
import gc
import os
import secrets
import socket
import time
from collections.abc import Awaitable, Callable
from datetime import timedelta
from functools import partial

from fastapi import FastAPI

from fareline_chassis.auth import TokenBook, TokensUnusable
from fareline_chassis.clock import utc_now
from fareline_chassis.health import Health, health_routes
from fareline_chassis.kafka.consumer import build_broker, declare_batch_subscriber
from fareline_chassis.kafka.delivery import Handler
from fareline_chassis.kafka.dlq import send_letters
from fareline_chassis.lifecycle import Background, explained, serve, wait_for
from fareline_chassis.postgres.listener import Listener
from fareline_chassis.telemetry import build_telemetry
from fareline_contracts.topics import BINDINGS, NUMBERS, TAXI_ORDERS, TENANTS
from order_binder.inbound.alarms import TenantAlarms
from order_binder.inbound.clock import InputWatch, sweep_forever
from order_binder.inbound.http import build_http
from order_binder.inbound.http_orders import OrderRoutes
from order_binder.inbound.http_registry import RegistryRoutes
from order_binder.inbound.kafka import OrderConsumer
from order_binder.inbound.metrics import BinderMetrics
from order_binder.inbound.notified import wake_partitions
from order_binder.inbound.refusals import GROUP, FailureWatch
from order_binder.outbound.edges import Edges
from order_binder.outbound.publishing import Publishing
from order_binder.seams import Around, untouched
from order_binder.settings import Settings
from order_binder.usecases.follow_input import FollowInput
from order_binder.usecases.ingest_orders import IngestOrders
from order_binder.usecases.lookup_bindings import LookupBindings
from order_binder.usecases.put_number import PutNumber, WithdrawNumber
from order_binder.usecases.put_tenant import PutTenant
from order_binder.usecases.show_binding import ShowBinding
from order_binder.usecases.submit_order import SubmitOrders
from order_binder.usecases.sweep_windows import SweepWindows
from order_binder.usecases.vacate_numbers import VacateNumbers

SERVICE = "order-binder"
BINDINGS_WRITTEN, REGISTRY_WRITTEN = "order_binder_unpublished", "order_binder_registry"


class OrderBinder:
    """One process of order-binder: `http` to be served, with `start` before and `stop` after."""

    def __init__(self, settings: Settings, *, around: Around = untouched) -> None:
        """Make every part, connecting to nothing. `around` lets a test stand between the parts.

        Raises TokensUnusable.
        """
        self._settings, self._around = settings, around
        self.health, self.telemetry = Health(), build_telemetry(SERVICE, settings)
        self._tokens = TokenBook.load(settings.fareline_tokens_file, demo=settings.fareline_demo)
        self._background = Background(self.health)
        self._metrics = BinderMetrics(self.telemetry.registry)
        self._edges = edges = Edges(settings, self.health, service=SERVICE, around=around)
        self._vacate = VacateNumbers(edges.store, secrets.randbelow)
        self._publishing = Publishing(
            cluster=settings.kafka,
            topic_prefix=settings.kafka_topic_prefix,
            database=edges.database,
            producer=edges.producer,
            health=self.health,
            holder=f"{socket.gethostname()}-{os.getpid()}-{secrets.token_hex(3)}",
            published=self._metrics.publication_delay.observe,
            unpublishable=self._metrics.unpublishable.inc,
            around=around,
        )
        self._broker = build_broker(settings.kafka, client_id=SERVICE, topic_prefix=settings.kafka_topic_prefix)
        handler: Handler = self._make_consumer()
        self._orders = declare_batch_subscriber(
            self._broker,
            topic=TAXI_ORDERS.name,
            group=GROUP,
            handler=around("batch", handler),
            max_records=settings.order_batch_records,
        )

    def _make_consumer(self) -> OrderConsumer:
        return OrderConsumer(
            ingest=IngestOrders(self._edges.store, secrets.randbelow),
            put_aside=partial(send_letters, self._around("letters", self._edges.letters)),
            metrics=self._metrics,
            alarms=TenantAlarms(self._metrics),
            clock=utc_now,
            watch=FailureWatch(),
            tracing=self.telemetry.tracing,
        )

    def http(self) -> FastAPI:
        """Return the HTTP interface, which answers 503 where the database or Kafka is not there."""
        registry, reader = self._edges.registry, self._edges.reader
        orders = OrderRoutes(
            tokens=self._tokens,
            submit=SubmitOrders(self._edges.orders, registry),
            show=ShowBinding(reader, sleep=asyncio.sleep, monotonic=time.monotonic),
            lookup=LookupBindings(reader, registry),
            stopping=lambda: self.health.draining,
        )
        inventory = RegistryRoutes(
            tokens=self._tokens,
            put=PutNumber(registry),
            withdraw=WithdrawNumber(registry, self._vacate),
            put_whole_tenant=PutTenant(registry),
            registry=registry,
        )
        return build_http(orders, inventory, health_routes(self.health, self.telemetry.registry))

    async def start(self) -> None:
        """Connect to everything, waiting as long as it takes, then begin to work."""
        edges, kafka = self._edges, self.health.component("kafka")
        self._beside("tokens", self._tokens.keep_current)
        await edges.database.connect()
        self._beside("database-watch", edges.database.watch)
        await wait_for("migrations", edges.schema.require, component=self.health.component("schema"))
        await edges.estimates.try_to_count()
        self._beside("estimates", edges.estimates.keep_counting)
        partitions = await wait_for("kafka", self._publishing.count_partitions, component=kafka)
        await edges.producer.start(kafka)
        follow = FollowInput(edges.store)
        await follow.expect(partitions[TAXI_ORDERS.name])
        self._start_publishing(partitions)
        await self._broker.start(self.health.component("orders"))
        watch = InputWatch(self._orders.progress, self._publishing.count_input, follow, self._metrics, utc_now)
        self._beside("input-watch", watch.run)
        every = timedelta(seconds=self._settings.sweep_every_s)
        self._beside("sweeper", partial(sweep_forever, SweepWindows(edges.store), self._vacate, self._metrics, every))
        gc.collect()
        gc.freeze()  # what is there now stays; a full collection need not look at it every time

    def _start_publishing(self, partitions: dict[str, int]) -> None:
        publications = self._publishing.publications(partitions)
        for topic, publication in publications.items():
            self._background.spawn(f"publishing:{topic}", publication.run)
        bindings = wake_partitions(publications[BINDINGS.name].wake, partitions[BINDINGS.name])

        def registry(_: str) -> None:
            for topic in (TENANTS, NUMBERS):
                publications[topic.name].wake()

        listener = Listener(self._edges.dsn, {BINDINGS_WRITTEN: bindings, REGISTRY_WRITTEN: registry})
        self._beside("listener", listener.run)

    def _beside(self, name: str, work: Callable[[], Awaitable[None]]) -> None:
        """Run what the process can do without for a while."""
        self._background.spawn(name, work, required=False)

    async def stop(self) -> None:
        """Finish the batch at hand, hand over the leases, close everything."""
        await self._broker.stop()
        await self._background.stop()
        await self._edges.close()


async def run(settings: Settings, *, around: Around = untouched) -> None:
    """Run one process until it is told to stop. Raises SystemExit(2) where the tokens file is unusable."""
    with explained(SERVICE, TokensUnusable):
        binder = OrderBinder(settings, around=around)
    await serve(
        binder.http(),
        host=settings.http_host,
        port=settings.http_port,
        on_start=binder.start,
        on_stop=binder.stop,
        health=binder.health,
    )
    binder.telemetry.shutdown()
