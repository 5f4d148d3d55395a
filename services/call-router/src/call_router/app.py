"""The composition root: the only module that knows which classes a router is made of."""

import asyncio
import time
from collections.abc import Sequence
from datetime import timedelta

from starlette.types import ASGIApp

from call_router.inbound.http import build_api, with_webhooks
from call_router.inbound.kafka import ReplicaFeed
from call_router.inbound.observing import Observer, add_gauges
from call_router.inbound.pbx import PbxWebhooks
from call_router.inbound.replica_tasks import ReplicaTasks
from call_router.outbound.binder import OrderBinder
from call_router.outbound.call_topic import CallTopic
from call_router.pbx.loading import Pbxs, load_pbxs
from call_router.records.events import CallEvents
from call_router.replica.freshness import Freshness
from call_router.replica.store import ReplicaStore
from call_router.settings import Settings
from call_router.spool.spool import Spool
from call_router.spool.traced import TracedJournal
from call_router.usecases.answer_question import AnswerQuestion
from call_router.usecases.decide import Decide
from call_router.usecases.explain_route import ExplainRoute
from call_router.usecases.record_report import RecordReport
from fareline_chassis.auth import TokenBook
from fareline_chassis.clock import utc_now
from fareline_chassis.health import Health
from fareline_chassis.kafka.assigned import AssignedReader
from fareline_chassis.kafka.producer import Producer
from fareline_chassis.lifecycle import Background
from fareline_chassis.telemetry import build_telemetry

_NAME = "call-router"
_LAST_DRAIN = timedelta(seconds=5)


class Router:
    """A router wired from its settings: serve `asgi`, with `start` before and `stop` after."""

    def __init__(self, settings: Settings) -> None:
        """Wire everything; raises AccountsUnusable, TokensUnusable, NoAdapter, SpoolTaken or OSError."""
        pbxs = load_pbxs(settings.fareline_accounts_file, demo=settings.fareline_demo)
        self._tokens = TokenBook.load(settings.fareline_tokens_file, demo=settings.fareline_demo)
        self.health = Health()
        self._settings = settings
        self._telemetry = build_telemetry(_NAME, settings)
        self._observer = Observer(self._telemetry.registry, pbxs.kinds)
        self._background = Background(self.health)
        self._store = ReplicaStore()
        self._freshness = Freshness(time.monotonic)
        self._binder = OrderBinder(
            settings.order_binder_url,
            settings.order_binder_token.get_secret_value(),
            deadline=settings.lookup_deadline,
            on_result=self._observer.looked_up,
        )
        self._producer = Producer(
            settings.kafka, client_id=settings.router_node, topic_prefix=settings.kafka_topic_prefix
        )
        self._spool = self._open_spool()
        self.asgi = self._build_asgi(pbxs)
        readings = self._store.readings() | self._freshness.readings(utc_now) | self._spool.readings()
        add_gauges(self._telemetry.registry, readings)

    def _open_spool(self) -> Spool:
        component = self.health.component("kafka for call events", required=False)
        return Spool(
            self._settings.router_data_dir / "spool",
            events=CallEvents(f"/fareline/call-router/{self._settings.router_node}"),
            limit_bytes=self._settings.spool_limit_bytes,
            send=CallTopic(self._producer, component, on_refused=self._observer.event_refused).send,
        )

    def _build_asgi(self, pbxs: Pbxs) -> ASGIApp:
        store, observer = self._store, self._observer
        journal = TracedJournal(self._spool.journal, self._telemetry.tracing)
        decide = Decide(store, self._freshness, self._binder, utc_now)
        answer = AnswerQuestion(decide, store, journal, utc_now, on_trouble=observer.trouble)
        webhooks = PbxWebhooks(
            adapters=pbxs.adapters,
            answer=answer,
            record=RecordReport(store, journal, utc_now),
            observer=observer,
            clock=utc_now,
        )
        api = build_api(
            accounts=pbxs.accounts,
            explain=ExplainRoute(decide),
            tokens=self._tokens,
            health=self.health,
            registry=self._telemetry.registry,
            clock=utc_now,
        )
        return with_webhooks(api, webhooks)

    async def start(self) -> None:
        """Start everything in the background, and wait for the replica for a bounded time only."""
        replica = ReplicaTasks(
            reader=self._reader,
            feed=ReplicaFeed(self._store, self._freshness, self._observer, utc_now),
            filling=self._freshness,
            ending=self._store,
            clock=utc_now,
            component=self.health.component("replica", required=False),
        )
        self._background.spawn("tokens", self._tokens.keep_current, required=False)
        for name, job in (replica.jobs() | self._spool.jobs()).items():
            self._background.spawn(name, job, required=False)
        await self._freshness.wait_filled(self._settings.fill_wait)

    async def stop(self) -> None:
        """Send what still waits if Kafka takes it, and leave the rest on disk for the next start."""
        await self._background.stop()
        await self._spool.drain.drain_within(_LAST_DRAIN)
        await self._producer.stop()
        await self._binder.close()
        self._spool.close()
        await asyncio.to_thread(self._telemetry.shutdown)

    def _reader(self, topics: Sequence[str]) -> AssignedReader:
        prefix, node = self._settings.kafka_topic_prefix, self._settings.router_node
        return AssignedReader(self._settings.kafka, topics, client_id=node, topic_prefix=prefix)
