"""Whether a Kafka answers clients."""

import asyncio
import logging
import socket
import time

from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError

from fareline_devstack.errors import ProcessFailed
from fareline_devstack.processes import Child, log_hint
from fareline_devstack.waiting import POLL_SECONDS, run_blocking

REQUEST_SECONDS = 5.0


def port_open(bootstrap: str) -> bool:
    """Whether something accepts connections at the first of the bootstrap servers."""
    host, _, port = bootstrap.partition(",")[0].rpartition(":")
    try:
        socket.create_connection((host, int(port)), timeout=1.0).close()
    except OSError:
        return False
    return True


async def brokers_of(bootstrap: str) -> int:
    """Return how many brokers the cluster lists for its clients; 0 when it does not answer."""
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap, request_timeout_ms=int(REQUEST_SECONDS * 1000))
    try:
        async with asyncio.timeout(2 * REQUEST_SECONDS):
            await admin.start()
            return len((await admin.describe_cluster())["brokers"])
    except (KafkaError, OSError, TimeoutError):
        return 0
    finally:
        await admin.close()


def answers(bootstrap: str) -> bool:
    """Whether clients can work with this Kafka now."""
    if not port_open(bootstrap):
        return False
    quiet = logging.getLogger("aiokafka")  # it complains on standard error about what is expected here
    level = quiet.level
    quiet.setLevel(logging.CRITICAL + 1)
    try:
        return run_blocking(brokers_of(bootstrap)) > 0
    finally:
        quiet.setLevel(level)


def wait_for_kafka(bootstrap: str, process: Child, *, seconds: float) -> None:
    """Return once clients can work with it; raise `ProcessFailed` when it ends or stays silent for `seconds`."""
    deadline = time.monotonic() + seconds
    while not answers(bootstrap):
        process.require_running()
        if time.monotonic() > deadline:
            raise ProcessFailed(f"Kafka did not answer within {seconds:.0f} s; {log_hint(process.command.log_file)}")
        time.sleep(POLL_SECONDS)
