"""The composition root: the only module that names concrete classes."""

import asyncio
import os
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta
from functools import partial

import asyncpg
from fastapi import APIRouter

from fareline_chassis.auth import TokenBook
from fareline_chassis.clock import utc_now
from fareline_chassis.files import follow_file
from fareline_chassis.health import Health
from fareline_chassis.kafka.consumer import build_broker, declare_batch_subscriber
from fareline_chassis.kafka.producer import Producer
from fareline_chassis.lifecycle import Background, serve, wait_for
from fareline_chassis.postgres.migrations import pending
from fareline_chassis.postgres.pool import Database
from fareline_chassis.telemetry import build_telemetry
from fareline_contracts.accounts import load_accounts
from fareline_contracts.topics import CALLS, TENANTS, deployed_topics
from recording_ingest.domain.keeping import Due, Retention
from recording_ingest.inbound import tenants
from recording_ingest.inbound.access import Gate
from recording_ingest.inbound.calls_api import CallsApi
from recording_ingest.inbound.clock import DownloadWorkers, Pace, drain, repeat
from recording_ingest.inbound.cursors import Cursors
from recording_ingest.inbound.exports_api import ExportsApi
from recording_ingest.inbound.http import build_http
from recording_ingest.inbound.kafka import GROUP, CallEventsIn
from recording_ingest.inbound.keeping_api import KeepingApi
from recording_ingest.inbound.push_api import PushApi
from recording_ingest.inbound.recordings_api import RecordingsApi
from recording_ingest.outbound.accounts import AccountBook
from recording_ingest.outbound.at_most import AtMost
from recording_ingest.outbound.audio import AudioIndex
from recording_ingest.outbound.connections import Patience
from recording_ingest.outbound.downloads import Caps, Downloader
from recording_ingest.outbound.gauges import Backlog, SpaceLasts
from recording_ingest.outbound.inbox import PushInbox
from recording_ingest.outbound.kafka_facts import KafkaAnnouncer
from recording_ingest.outbound.phone_keys import PhoneKeys
from recording_ingest.outbound.phone_vault import PhoneVault
from recording_ingest.outbound.postgres_calls import PostgresCalls
from recording_ingest.outbound.postgres_erasures import PostgresErasures
from recording_ingest.outbound.postgres_intake import PostgresIntake
from recording_ingest.outbound.postgres_keeping import PostgresKeeping
from recording_ingest.outbound.postgres_ledger import PostgresLedger
from recording_ingest.outbound.postgres_projection import PostgresCallLog
from recording_ingest.outbound.postgres_reading import PostgresReader
from recording_ingest.outbound.postgres_space import PostgresSpaces
from recording_ingest.outbound.sealed_addresses import OpenedAddresses
from recording_ingest.outbound.sources import AccountSources
from recording_ingest.outbound.storage import ObjectStorage
from recording_ingest.settings import KeySettings, Settings
from recording_ingest.usecases import forget
from recording_ingest.usecases.download_recording import Downloads, download_recording
from recording_ingest.usecases.estimate_spaces import estimate_spaces
from recording_ingest.usecases.project_calls import project_calls
from recording_ingest.usecases.receive_recording import Receiving
from recording_ingest.usecases.refold_calls import Refolded, refold_calls
from recording_ingest.usecases.tell_outcomes import tell_outcomes

SCHEMA, MIGRATIONS = "recording_ingest", "recording_ingest.migrations"
_SCRATCH_KEPT = timedelta(hours=1)


class Service:
    """One process of recording-ingest. Its parts are made here and nowhere else."""

    def __init__(self, settings: Settings) -> None:
        name = f"recording-ingest-{os.getpid()}"
        cluster, prefix = settings.kafka, settings.kafka_topic_prefix
        pool = (settings.database_pool_min, settings.database_pool_max)
        accounts = load_accounts(settings.fareline_accounts_file, demo=settings.fareline_demo)
        self._tokens = TokenBook.load(settings.fareline_tokens_file, demo=settings.fareline_demo)
        self._settings, self._health = settings, Health()
        self._telemetry = build_telemetry("recording-ingest", settings)
        self._background = Background(self._health)
        self._dsn = settings.dsn
        postgres = self._health.component("postgres")
        self._database = Database(self._dsn, *pool, postgres, application_name=name, search_path=SCHEMA)
        # Analysts have connections of their own: what they ask must not hold up what comes in.
        self._reading = Database(
            self._dsn, *pool, postgres, application_name=f"{name}-api", search_path=SCHEMA, keep_session=True
        )
        self._vault = PhoneVault(PhoneKeys.load(settings.fareline_phone_keys_file, demo=settings.fareline_demo))
        self._producer = Producer(cluster, client_id=name, topic_prefix=prefix)
        self._broker = build_broker(cluster, client_id=name, topic_prefix=prefix)
        self._accounts = AccountBook(accounts, demo=settings.fareline_demo, ready_delay=settings.ready_delay)
        self._ledger = PostgresLedger(self._database)
        self._store = ObjectStorage(settings.storage_url, settings.scratch_dir)
        self._audio = AudioIndex(settings.download_workers)
        self._keeping = PostgresKeeping(self._database, Retention())
        erasures = PostgresErasures(self._database, self._vault)
        self._forgetting = forget.Forgetting(self._keeping, erasures, self._store, utc_now, topics_keep())

    async def run(self) -> None:
        """Serve until SIGTERM or SIGINT."""
        self._background.spawn("tokens", self._tokens.keep_current, required=False)
        gate = Gate(self._tokens)
        reader, finder = PostgresReader(self._database, self._vault), PostgresCalls(self._reading, self._vault)
        calls = CallsApi(finder, gate, utc_now, Cursors(self._vault.signing_keys()), reader)
        exports = ExportsApi(finder, gate, utc_now, reader)
        required = self._settings.recording_reason_required
        others = self._beside(gate, finder)
        recordings = RecordingsApi(reader, self._store, gate, utc_now, others, reason_required=required)
        app = build_http(calls, exports, recordings, self._health, self._telemetry.registry)
        host, port = self._settings.http_host, self._settings.http_port
        await serve(
            app,
            host=host,
            port=port,
            health=self._health,
            on_start=self._start,
            on_stop=self._stop,
            trusted_proxies=self._settings.trusted_proxies,
        )

    async def _start(self) -> None:
        await self._database.connect()
        await self._reading.connect()
        await wait_for("migrations", self._migrated, component=self._health.component("migrations"))
        await self._keep_house()
        self._spawn()
        project = partial(project_calls, PostgresCallLog(self._database, self._vault), waits_of=self._accounts.waits_of)
        handler = CallEventsIn(project, self._producer, self._telemetry.registry)
        declare_batch_subscriber(self._broker, topic=CALLS.name, group=GROUP, handler=handler)
        policies = tenants.TenantsIn(self._keeping.save_policy)
        declare_batch_subscriber(self._broker, topic=TENANTS.name, group=tenants.GROUP, handler=policies)
        await self._broker.start(self._health.component("kafka"))

    def _renew_accounts(self) -> None:
        settings = self._settings
        self._accounts.become(load_accounts(settings.fareline_accounts_file, demo=settings.fareline_demo))

    def _spawn(self) -> None:
        accounts_file = self._settings.fareline_accounts_file
        self._background.spawn("accounts", partial(follow_file, accounts_file, self._renew_accounts), required=False)
        tell = partial(tell_outcomes, self._ledger, KafkaAnnouncer(self._producer, self._telemetry.tracing))
        backlog = Backlog(self._ledger, self._telemetry.registry)
        self._background.spawn("postgres-watch", self._database.watch)
        self._background.spawn("downloads", self._workers().run)
        self._background.spawn("facts", partial(drain, tell, poll=self._settings.download_poll))
        self._background.spawn("backlog", partial(repeat, backlog.measure, every=timedelta(seconds=15)), required=False)
        spaces = self._spaces(SpaceLasts(self._telemetry.registry))
        self._background.spawn("spaces", partial(repeat, spaces, every=timedelta(minutes=1)), required=False)
        retain, erase = partial(forget.apply_retention, self._forgetting), partial(forget.carry_on, self._forgetting)
        every = self._settings.retention_every
        self._background.spawn("retention", partial(repeat, retain, every=every), required=False)
        self._background.spawn("erasures", partial(repeat, erase, every=timedelta(minutes=1)), required=False)
        self._background.spawn("housekeeping", partial(repeat, self._keep_house, every=timedelta(hours=1)))

    def _spaces(self, shown: SpaceLasts) -> Callable[[], Awaitable[None]]:
        spaces = PostgresSpaces(self._database)

        async def estimate() -> None:
            shown.show(await estimate_spaces(spaces, self._accounts.spaces(), utc_now))

        return estimate

    def _beside(self, gate: Gate, finder: PostgresCalls) -> tuple[APIRouter, ...]:
        intake = PostgresIntake(self._database)
        receiving = Receiving(PushInbox(self._caps()), intake, self._store, self._audio, utc_now)
        pushes = PushApi(receiving, gate, self._accounts.tenants_of, self._settings.download_max_bytes)
        keeping = KeepingApi(self._forgetting, self._keeping, finder, gate)
        return pushes.router(), keeping.router()

    def _caps(self) -> Caps:
        given = self._settings
        return Caps(size_bytes=given.download_max_bytes, patience=Patience(total=given.download_timeout))

    def _workers(self) -> DownloadWorkers:
        given = self._settings
        asked = AccountSources(self._accounts.sources, Downloader(self._caps()), self._ledger.take_turn)
        source = AtMost(OpenedAddresses(asked, self._vault), given.download_workers)
        retries = (given.download_first_retry, given.download_attempts)
        tools = Downloads(self._ledger, source, self._store, self._audio, utc_now, *retries)
        # Twice as many as download: the others verify, publish and write down meanwhile.
        pace = Pace(workers=2 * given.download_workers, lease_for=given.download_lease, poll=given.download_poll)
        return DownloadWorkers(self._ledger, partial(download_recording, tools), pace, self._telemetry.registry)

    async def _keep_house(self) -> None:
        await self._ledger.make_months(utc_now())
        await asyncio.to_thread(self._store.sweep, older_than=_SCRATCH_KEPT)

    async def _migrated(self) -> None:
        if missing := await pending(self._dsn, MIGRATIONS, SCHEMA):
            raise RuntimeError(f"not applied: {', '.join(missing)}")

    async def _stop(self) -> None:
        await self._broker.stop()
        await self._background.stop()
        await self._audio.close()
        await self._producer.stop()
        await self._reading.close()
        await self._database.close()
        self._telemetry.shutdown()


async def retention(settings: Settings, *, apply: bool) -> tuple[Sequence[Due], forget.LetGo | None]:
    """Return what retention finds due now, by tenant; with `apply` also remove it, and return how much that was."""
    async with _beside_the_service(settings, "retention") as (database, vault):
        keeping = PostgresKeeping(database, Retention())
        store = ObjectStorage(settings.storage_url, settings.scratch_dir)
        tools = forget.Forgetting(keeping, PostgresErasures(database, vault), store, utc_now, topics_keep())
        due = await keeping.due(utc_now())
        return due, await forget.apply_retention(tools) if apply else None


async def refold(settings: KeySettings) -> Refolded:
    """Fold every call again from its kept events, and return how many there were and how many came out otherwise."""
    async with _beside_the_service(settings, "refold") as (database, vault):
        return await refold_calls(PostgresCallLog(database, vault))


@asynccontextmanager
async def _beside_the_service(
    settings: KeySettings | Settings, name: str
) -> AsyncIterator[tuple[Database, PhoneVault]]:
    """Yield connections and keys for a command that runs once."""
    vault = PhoneVault(PhoneKeys.load(settings.fareline_phone_keys_file, demo=settings.fareline_demo))
    postgres, application = Health().component("postgres"), f"recording-ingest-{name}"
    database = Database(settings.dsn, 1, 2, postgres, application_name=application, search_path=SCHEMA)
    # A service waits for its database; who runs a command is told at once that it is not there.
    await (await asyncpg.connect(settings.dsn)).close()
    await database.connect()
    try:
        yield database, vault
    finally:
        await database.close()


def topics_keep() -> timedelta:
    """Return for how long the topic with the longest retention keeps what is in it."""
    kept = (int(topic.config.get("retention.ms", 0)) for topic in deployed_topics())
    return timedelta(milliseconds=max(kept))
