"""The composition root: the only module that knows which classes a router is made of."""

import asyncio
import time
from contextlib import suppress
from datetime import timedelta

from call_router.inbound.http import build_api, with_webhooks
from call_router.inbound.kafka import ReplicaFeed
from call_router.inbound.observing import Observer, add_gauges
from call_router.inbound.pbx import PbxWebhooks
from call_router.inbound.replica_tasks import ReplicaTasks, sweep
from call_router.outbound.binder import OrderBinder
from call_router.outbound.call_topic import CallTopic
from call_router.pbx.loading import facts_of, load_adapter
from call_router.records.events import CallEvents
from call_router.replica.freshness import Freshness
from call_router.replica.store import ReplicaStore
from call_router.settings import Settings
from call_router.spool.spool import Spool
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
from fareline_contracts.accounts import load_accounts
from fareline_contracts.topics import BINDINGS, NUMBERS, TENANTS

_NAME = "call-router"
_LAST_DRAIN = timedelta(seconds=5)


class Router:
    """A router wired from its settings: serve `asgi`, with `start` before and `stop` after."""

    def __init__(self, settings: Settings) -> None:
        """Wire everything; raises AccountsUnusable, TokensUnusable, NoAdapter, SpoolTaken or OSError."""
        entries = load_accounts(settings.fareline_accounts_file, demo=settings.fareline_demo)
        accounts = {name: facts_of(entry) for name, entry in entries.items()}
        tokens = TokenBook.load(settings.fareline_tokens_file, demo=settings.fareline_demo)
        self.health = Health()
        self._settings = settings
        self._telemetry = build_telemetry(_NAME, settings)
        self._observer = Observer(self._telemetry.registry, {name: entry.kind for name, entry in entries.items()})
        self._store = ReplicaStore()
        self._freshness = Freshness(time.monotonic)
        self._binder = OrderBinder(
            settings.order_binder_url,
            settings.order_binder_token.get_secret_value(),
            deadline=settings.lookup_deadline,
            on_result=self._observer.looked_up,
        )
        self._producer = Producer(
            settings.kafka_bootstrap, client_id=settings.router_node, topic_prefix=settings.kafka_topic_prefix
        )
        self._spool = Spool(
            settings.router_data_dir / "spool",
            events=CallEvents(f"/fareline/call-router/{settings.router_node}"),
            limit_bytes=settings.spool_limit_bytes,
            send=CallTopic(self._producer, on_refused=self._observer.event_refused).send,
        )
        decide = Decide(self._store.view, self._store, self._freshness, self._binder, utc_now)
        calls, recent, journal = self._store.calls, self._store.recent, self._spool.journal
        webhooks = PbxWebhooks(
            adapters={(entry.kind.value, name): load_adapter(entry) for name, entry in entries.items()},
            answer=AnswerQuestion(
                decide=decide,
                calls=calls,
                recent=recent,
                journal=journal,
                clock=utc_now,
                on_trouble=self._observer.trouble,
            ),
            record=RecordReport(calls, recent, journal, utc_now),
            observer=self._observer,
            clock=utc_now,
        )
        api = build_api(
            accounts=accounts,
            explain=ExplainRoute(decide),
            tokens=tokens,
            health=self.health,
            registry=self._telemetry.registry,
            clock=utc_now,
        )
        self.asgi = with_webhooks(api, webhooks)
        self._background = Background(self.health)
        readings = self._store.readings() | self._freshness.readings(utc_now) | self._spool.readings()
        add_gauges(self._telemetry.registry, readings)

    async def start(self) -> None:
        """Start everything in the background, and wait for the replica for a bounded time only."""
        replica = ReplicaTasks(
            inventory=lambda: self._reader(NUMBERS.name, TENANTS.name),
            bindings=lambda: self._reader(BINDINGS.name),
            feed=ReplicaFeed(self._store, self._freshness, on_unreadable=self._observer.trouble),
            filling=self._freshness,
            component=self.health.component("replica", required=False),
        )
        self._background.spawn("replica tasks", replica.run, required=False)
        self._background.spawn("sweep", lambda: sweep(self._store.bindings, utc_now), required=False)
        self._background.spawn("spool sync", self._spool.writer.keep_syncing)
        self._background.spawn("spool drain", self._spool.drain.run, required=False)
        with suppress(TimeoutError):
            async with asyncio.timeout(self._settings.router_fill_wait_s):
                await self._freshness.filled.wait()

    async def stop(self) -> None:
        """Send what still waits if Kafka takes it, and leave the rest on disk for the next start."""
        await self._background.stop()
        with suppress(Exception):
            async with asyncio.timeout(_LAST_DRAIN.total_seconds()):
                while await self._spool.drain.drain_once():
                    pass
        await self._producer.stop()
        await self._binder.close()
        self._spool.close()
        await asyncio.to_thread(self._telemetry.shutdown)

    def _reader(self, *topics: str) -> AssignedReader:
        settings = self._settings
        prefix, node = settings.kafka_topic_prefix, settings.router_node
        return AssignedReader(settings.kafka_bootstrap, topics, client_id=node, topic_prefix=prefix)
