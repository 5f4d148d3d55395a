"""The composition root: which part is made of what, in which order they start and stop."""

import asyncio
import os
import secrets
import socket
import time
from datetime import timedelta
from functools import partial

from fastapi import FastAPI

from fareline_chassis.auth import load_tokens
from fareline_chassis.clock import utc_now
from fareline_chassis.health import Health, health_routes
from fareline_chassis.kafka.consumer import build_broker, declare_batch_subscriber
from fareline_chassis.kafka.delivery import Handler
from fareline_chassis.kafka.dlq import MAX_LETTER_BYTES, send_letters
from fareline_chassis.kafka.producer import Producer
from fareline_chassis.lifecycle import Background, serve, wait_for
from fareline_chassis.postgres.listener import Listener
from fareline_chassis.postgres.pool import Database
from fareline_chassis.telemetry import build_telemetry
from fareline_contracts.topics import TAXI_ORDERS
from order_binder.inbound.alarms import TenantAlarms
from order_binder.inbound.clock import InputWatch, sweep_forever, wake_on_notify
from order_binder.inbound.http import build_http
from order_binder.inbound.http_orders import OrderRoutes
from order_binder.inbound.http_registry import RegistryRoutes
from order_binder.inbound.kafka import OrderConsumer
from order_binder.inbound.metrics import BinderMetrics
from order_binder.inbound.refusals import GROUP, FailureWatch
from order_binder.outbound.bindings import PostgresBindings
from order_binder.outbound.order_topic import KafkaOrderSink
from order_binder.outbound.publishing import Publishing
from order_binder.outbound.reading import PostgresReader
from order_binder.outbound.registry import PostgresRegistry
from order_binder.outbound.schema import Schema
from order_binder.ports import BindingStore
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
NOTIFIED = "order_binder_unpublished"
LONGEST_PAUSE = timedelta(seconds=5)


class OrderBinder:
    """One process of order-binder: `http` to be served, with `start` before and `stop` after."""

    def __init__(self, settings: Settings, *, around: Around = untouched) -> None:
        """Make every part, connecting to nothing. `around` lets a test stand between the parts.

        Raises SystemExit(2) where the tokens file is unusable.
        """
        self._settings, self._around = settings, around
        self.health, self.telemetry = Health(), build_telemetry(SERVICE, settings)
        self._tokens = load_tokens(settings.fareline_tokens_file, demo=settings.fareline_demo)
        self._background = Background(self.health)
        self._metrics = BinderMetrics(self.telemetry.registry)

        self._dsn = settings.database_url.get_secret_value()
        sizes = (settings.database_pool_min, settings.database_pool_max)
        self._database = Database(
            self._dsn,
            *sizes,
            self.health.component("postgres"),
            application_name=SERVICE,
            longest_pause=LONGEST_PAUSE,
        )
        self._store: BindingStore = around("store", PostgresBindings(self._database))
        self._registry = PostgresRegistry(self._database)

        kafka, prefix = settings.kafka, settings.kafka_topic_prefix
        self._producer = Producer(kafka, client_id=SERVICE, topic_prefix=prefix)
        self._letters = Producer(kafka, client_id=SERVICE, topic_prefix=prefix, max_request_bytes=MAX_LETTER_BYTES)
        self._broker = build_broker(kafka, client_id=SERVICE, topic_prefix=prefix)
        self._publishing = self._make_publishing()

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
            ingest=IngestOrders(self._store, secrets.randbelow),
            put_aside=partial(send_letters, self._letters),
            metrics=self._metrics,
            alarms=TenantAlarms(self._metrics),
            clock=utc_now,
            watch=FailureWatch(),
            tracing=self.telemetry.tracing,
        )

    def _make_publishing(self) -> Publishing:
        return Publishing(
            cluster=self._settings.kafka,
            topic_prefix=self._settings.kafka_topic_prefix,
            database=self._database,
            producer=self._producer,
            health=self.health,
            holder=f"{socket.gethostname()}-{os.getpid()}-{secrets.token_hex(3)}",
            published=self._metrics.publication_delay.observe,
            unpublishable=self._metrics.unpublishable.inc,
            around=self._around,
        )

    def http(self) -> FastAPI:
        """Return the HTTP interface, which answers 503 where the database or Kafka is not there."""
        registry, reader = self._registry, PostgresReader(self._database)
        orders = OrderRoutes(
            tokens=self._tokens,
            submit=SubmitOrders(KafkaOrderSink(self._producer, utc_now), registry),
            show=ShowBinding(reader, sleep=asyncio.sleep, monotonic=time.monotonic),
            lookup=LookupBindings(reader, registry),
        )
        inventory = RegistryRoutes(
            tokens=self._tokens,
            put=PutNumber(registry),
            withdraw=WithdrawNumber(registry, VacateNumbers(self._store, secrets.randbelow)),
            put_whole_tenant=PutTenant(registry),
            registry=registry,
        )
        return build_http(orders, inventory, health_routes(self.health, self.telemetry.registry))

    async def start(self) -> None:
        """Connect to everything, waiting as long as it takes, then begin to work."""
        self._background.spawn("tokens", self._tokens.keep_current, required=False)
        await self._database.connect()
        self._background.spawn("database-watch", self._database.watch, required=False)
        await wait_for("migrations", Schema(self._dsn).require, component=self.health.component("schema"))
        kafka = self.health.component("kafka")
        partitions = await wait_for("kafka", self._publishing.count_partitions, component=kafka)
        await self._producer.start(kafka)
        follow = FollowInput(self._store)
        await follow.expect(partitions[TAXI_ORDERS.name])
        self._start_publishing(partitions)
        await self._broker.start(self.health.component("orders"))
        watch = InputWatch(self._orders.progress, self._publishing.count_input, follow, self._metrics, utc_now)
        self._background.spawn("input-watch", watch.run, required=False)
        self._start_sweeping()

    def _start_publishing(self, partitions: dict[str, int]) -> None:
        listener = Listener(self._dsn, NOTIFIED)
        publications = self._publishing.publications(partitions)
        for topic, publication in publications.items():
            self._background.spawn(f"publishing:{topic}", publication.run)
        wakers = [publication.wake for publication in publications.values()]
        self._background.spawn("listener", listener.run, required=False)
        self._background.spawn("waker", lambda: wake_on_notify(listener, wakers), required=False)

    def _start_sweeping(self) -> None:
        every = timedelta(seconds=self._settings.sweep_every_s)
        sweep, vacate = SweepWindows(self._store), VacateNumbers(self._store, secrets.randbelow)
        self._background.spawn("sweeper", lambda: sweep_forever(sweep, vacate, self._metrics, every), required=False)

    async def stop(self) -> None:
        """Finish the batch at hand, hand over the leases, close everything."""
        await self._broker.stop()
        await self._background.stop()
        await self._producer.stop()
        await self._letters.stop()
        await self._database.close()


async def run(settings: Settings, *, around: Around = untouched) -> None:
    """Run one process until it is told to stop."""
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
