"""The composition root: the only module that knows which classes a router is made of."""

import asyncio
import time
from datetime import timedelta

from starlette.types import ASGIApp

from call_router.inbound.admission import Admission, Bounds
from call_router.inbound.http import build_api, with_webhooks
from call_router.inbound.kafka import ReplicaFeed
from call_router.inbound.observing import Observer, add_gauges
from call_router.inbound.past_calls import PastCalls
from call_router.inbound.pbx import PbxWebhooks
from call_router.inbound.readers import Topics
from call_router.inbound.replica_tasks import ReplicaTasks
from call_router.inbound.snapshots import Snapshots
from call_router.outbound.binder import OrderBinder
from call_router.outbound.call_topic import CallTopic
from call_router.pbx.loading import load_pbxs
from call_router.records.events import CallEvents
from call_router.replica.freshness import Freshness
from call_router.replica.snapshot import Snapshot
from call_router.replica.store import ReplicaStore
from call_router.settings import Settings
from call_router.spool.spool import Spool
from call_router.spool.traced import TracedJournal
from call_router.usecases.answer_question import AnswerQuestion
from call_router.usecases.compare import Compare
from call_router.usecases.decide import Decide
from call_router.usecases.explain_route import ExplainRoute
from call_router.usecases.recall import Recall
from call_router.usecases.record_report import RecordReport
from fareline_chassis.auth import TokenBook
from fareline_chassis.clock import utc_now
from fareline_chassis.files import follow_file
from fareline_chassis.health import Health
from fareline_chassis.kafka.producer import Producer
from fareline_chassis.lifecycle import Background
from fareline_chassis.telemetry import build_telemetry

_NAME = "call-router"
_LAST_DRAIN = timedelta(seconds=5)
_WAIT_WITH_SNAPSHOT = timedelta(seconds=2)


class Router:
    """A router wired from its settings: serve `asgi`, with `start` before and `stop` after."""

    def __init__(self, settings: Settings) -> None:
        """Wire everything; raises AccountsUnusable, TokensUnusable, NoAdapter, SpoolTaken or OSError."""
        self._pbxs = load_pbxs(settings.fareline_accounts_file, demo=settings.fareline_demo)
        self._tokens = TokenBook.load(settings.fareline_tokens_file, demo=settings.fareline_demo)
        self.health = Health()
        self._settings = settings
        self._telemetry = build_telemetry(_NAME, settings)
        self._observer = Observer(self._telemetry.registry, self._pbxs.kinds)
        self._background = Background(self.health)
        self._store = ReplicaStore()
        self._freshness = Freshness(time.monotonic, utc_now)
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
        bounds = Bounds(settings.router_calls_at_once, settings.router_calls_a_second)
        self._admission = Admission(bounds, time.monotonic)
        self._compare = Compare(
            self._binder,
            self._store,
            utc_now,
            may_sample=lambda: self._admission.may_sample,
            on_result=self._observer.compared,
        )
        self._replica, self._past_calls = self._read_topics()
        self._snapshots = Snapshots(
            Snapshot(settings.router_data_dir / "snapshot" / "replica", self._store),
            replica=self._replica,
            calls=self._past_calls,
            age=self._freshness,
            every=settings.snapshot_every,
            clock=utc_now,
            observer=self._observer,
        )
        self.asgi = self._build_asgi()
        for part in (self._store, self._freshness, self._spool, self._snapshots):
            add_gauges(self._telemetry.registry, part.readings())

    def _open_spool(self) -> Spool:
        component = self.health.component("kafka for call events", required=False)
        return Spool(
            self._settings.router_data_dir / "spool",
            events=CallEvents(f"/fareline/call-router/{self._settings.router_node}"),
            limit_bytes=self._settings.spool_limit_bytes,
            send=CallTopic(self._producer, component, on_refused=self._observer.event_refused).send,
        )

    def _build_asgi(self) -> ASGIApp:
        store, observer = self._store, self._observer
        journal = TracedJournal(self._spool.journal, self._telemetry.tracing)
        decide = Decide(store, self._freshness, self._binder, utc_now, lambda: self._admission.may_ask, self._compare)
        answer = AnswerQuestion(decide, store, journal, utc_now, on_trouble=observer.trouble)
        webhooks = PbxWebhooks(
            adapters=self._pbxs.adapters,
            answer=answer,
            record=RecordReport(store, journal, utc_now),
            observer=observer,
            admission=self._admission,
            clock=utc_now,
        )
        api = build_api(
            accounts=self._pbxs.accounts,
            adapter_of=self._pbxs.of_account,
            explain=ExplainRoute(Decide(store, self._freshness, self._binder, utc_now)),
            tokens=self._tokens,
            health=self.health,
            registry=self._telemetry.registry,
            clock=utc_now,
        )
        return with_webhooks(api, webhooks, self._admission)

    async def start(self) -> None:
        """Start everything in the background, and wait for the replica for a bounded time only."""
        restored = await self._snapshots.restore()
        await self._past_calls.recall(self._spool.waiting())
        jobs = {
            "tokens": self._tokens.keep_current,
            "accounts": lambda: follow_file(self._settings.fareline_accounts_file, self._renew_accounts),
            "past calls": self._past_calls.follow,
            "snapshots": self._snapshots.keep,
            "comparison": self._compare.run,
        }
        waiting = self.health.component("spool", required=False)
        self._background.spawn("spool watch", lambda: self._spool.watch(waiting), required=False)
        for name, job in (jobs | self._replica.jobs() | self._spool.jobs()).items():
            self._background.spawn(name, job, required=False)
        wait = self._settings.fill_wait
        await self._freshness.wait_filled(min(wait, _WAIT_WITH_SNAPSHOT) if restored else wait)

    async def stop(self) -> None:
        """Send what still waits if Kafka takes it, and leave the rest on disk for the next start."""
        await self._background.stop()
        await self._snapshots.write_last()
        await self._spool.drain.drain_within(_LAST_DRAIN)
        await self._producer.stop()
        await self._binder.close()
        self._spool.close()
        await asyncio.to_thread(self._telemetry.shutdown)

    def _renew_accounts(self) -> None:
        settings = self._settings
        self._pbxs.become(load_pbxs(settings.fareline_accounts_file, demo=settings.fareline_demo))

    def _read_topics(self) -> tuple[ReplicaTasks, PastCalls]:
        topics = Topics(self._settings.kafka, self._settings.router_node, self._settings.kafka_topic_prefix)
        replica = ReplicaTasks(
            reader=topics.reader,
            topic_ids=topics.ids,
            feed=ReplicaFeed(self._store, self._freshness, self._observer, utc_now),
            store=self._store,
            filling=self._freshness,
            clock=utc_now,
            component=self.health.component("replica", required=False),
        )
        past_calls = PastCalls(
            reader=topics.reader,
            topic_ids=topics.ids,
            recall=Recall(self._store, lambda: self._store.view),
            observer=self._observer,
            clock=utc_now,
            component=self.health.component("past calls of all routers", required=False),
        )
        return replica, past_calls
