"""Open a stage on running services: connect the platform to Kafka and the PBXs to call-router."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

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

ZADARMA_ACCOUNT = "demo-zadarma"
OWN_PBX_ACCOUNT = "demo-generic"


@dataclass(frozen=True, slots=True)
class Addresses:
    """Where the public interfaces are: URLs without a trailing slash, a prefix that topics' names have here."""

    kafka_bootstrap: str
    topic_prefix: str
    order_binder: str
    call_router: str
    recording_ingest: str
    token: str


@asynccontextmanager
async def open_stage(
    addresses: Addresses, accounts: dict[str, Account], recordings: FakeZadarma
) -> AsyncIterator[Stage]:
    """Connect and yield the stage; `accounts` are those of the running services, `recordings` listens already."""
    async with AsyncExitStack() as stack:
        http = await stack.enter_async_context(httpx.AsyncClient(trust_env=False, timeout=10.0))
        producer = AIOKafkaProducer(
            bootstrap_servers=addresses.kafka_bootstrap, acks="all", enable_idempotence=True, request_timeout_ms=10_000
        )
        await producer.start()
        stack.push_async_callback(producer.stop)
        yield Stage(
            platform=TaxiPlatform(producer, addresses.topic_prefix),
            binder=BindingApi(http, addresses.order_binder, addresses.token),
            zadarma=Zadarma(http, addresses.call_router, accounts[ZADARMA_ACCOUNT]),
            own_pbx=GenericPbx(http, addresses.call_router, accounts[OWN_PBX_ACCOUNT]),
            call_log=CallLog(http, addresses.recording_ingest, addresses.token),
            recordings=recordings,
        )
