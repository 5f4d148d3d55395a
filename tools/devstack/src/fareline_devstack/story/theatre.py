"""Open a stage on running services: connect the platform to Kafka and the PBXs to call-router."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

import httpx
from aiokafka import AIOKafkaProducer

from fareline_contracts.accounts import Account
from fareline_devstack.story.binder import BindingApi
from fareline_devstack.story.call_log import CallLog
from fareline_devstack.story.fake_zadarma import FakeZadarma
from fareline_devstack.story.generic import GenericPbx
from fareline_devstack.story.stage import Stage
from fareline_devstack.story.taxi_platform import TaxiPlatform
from fareline_devstack.story.zadarma import Zadarma
from fareline_devstack.system import SystemInfo

ZADARMA_ACCOUNT = "demo-zadarma"
OWN_PBX_ACCOUNT = "demo-generic"


@asynccontextmanager
async def open_stage(system: SystemInfo, accounts: dict[str, Account], recordings: FakeZadarma) -> AsyncIterator[Stage]:
    """Connect and yield the stage; `accounts` are those of the running services, `recordings` listens already."""
    async with AsyncExitStack() as stack:
        http = await stack.enter_async_context(httpx.AsyncClient(trust_env=False, timeout=10.0))
        producer = AIOKafkaProducer(
            bootstrap_servers=system.kafka_bootstrap, acks="all", enable_idempotence=True, request_timeout_ms=10_000
        )
        await producer.start()
        stack.push_async_callback(producer.stop)
        yield Stage(
            platform=TaxiPlatform(producer, system.topic_prefix),
            binder=BindingApi(http, system.order_binder_url, system.token),
            zadarma=Zadarma(http, system.call_router_url, accounts[ZADARMA_ACCOUNT]),
            own_pbx=GenericPbx(http, system.call_router_url, accounts[OWN_PBX_ACCOUNT]),
            call_log=CallLog(http, system.recording_ingest_url, system.token),
            recordings=recordings,
        )
