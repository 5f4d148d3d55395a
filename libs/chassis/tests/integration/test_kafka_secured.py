"""A Kafka that lets in only who proves himself: TLS with a client certificate, and SASL over TLS."""

import asyncio
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from certificates import Authority
from eventually import eventually
from kafka_scene import Scene

from fareline_chassis.health import HealthComponent
from fareline_chassis.kafka.assigned import AssignedReader
from fareline_chassis.kafka.cluster import KafkaCluster, Login, Tls
from fareline_chassis.kafka.consumer import build_broker, declare_batch_subscriber
from fareline_chassis.kafka.producer import DeliveryUnknown, Producer
from fareline_chassis.kafka.records import OutRecord
from fareline_chassis.kafka.topics import partitions_of
from fareline_devstack.kafka.server_properties import Listener
from fareline_devstack.ports import free_port

PLAIN_LOGIN = "org.apache.kafka.common.security.plain.PlainLoginModule"
SOON = timedelta(seconds=3)


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path)


@pytest.fixture
async def secured(own_kafka, authority: Authority, tmp_path: Path, topic_prefix: str):
    """Give {way in: cluster} of one Kafka, and its scene in the clear."""
    _, _, broker_file = authority.issue("broker")
    tls = {
        "ssl.keystore.type": "PEM",
        "ssl.keystore.location": str(broker_file),
        "ssl.truststore.type": "PEM",
        "ssl.truststore.location": str(authority.ca_file),
    }
    users = f'{PLAIN_LOGIN} required user_router="right-word";'
    logins = {"sasl.enabled.mechanisms": "PLAIN", "plain.sasl.jaas.config": users}
    ports = free_port(), free_port()
    own_kafka.listeners += [
        Listener("CERTS", ports[0], "SSL", {**tls, "ssl.client.auth": "required"}),
        Listener("LOGINS", ports[1], "SASL_SSL", {**tls, **logins}),
    ]
    scene = Scene(await asyncio.to_thread(own_kafka.start), topic_prefix)
    await scene.topic("t")
    cert, key, _ = authority.issue("router")
    password = tmp_path / "password"
    password.write_text("right-word\n")
    return {
        "certificate": KafkaCluster(f"127.0.0.1:{ports[0]}", Tls(authority.ca_file, cert, key)),
        "login": KafkaCluster(f"127.0.0.1:{ports[1]}", Tls(authority.ca_file), Login("PLAIN", "router", password)),
    }, scene


async def test_every_client_gets_in_both_ways(secured) -> None:
    ways, scene = secured
    for way, cluster in ways.items():
        assert await partitions_of(cluster, [scene.prefix + "t"]) == {scene.prefix + "t": 1}
        producer = Producer(cluster, client_id="test", topic_prefix=scene.prefix)
        await producer.start(HealthComponent("kafka"))
        try:
            await producer.send([OutRecord("t", b"k", way.encode())])
        finally:
            await producer.stop()
        assert way.encode() in await consumed(cluster, scene, group=way)
        assert way.encode() in await read(cluster, scene)


@pytest.mark.parametrize("wrong", ["password", "authority", "no certificate", "in the clear"])
async def test_nobody_gets_in_who_does_not_prove_himself(secured, wrong: str, tmp_path: Path) -> None:
    ways, _ = secured
    cluster = {
        "password": replace(ways["login"], login=Login("PLAIN", "router", written(tmp_path / "wrong", "wrong-word"))),
        "authority": replace(ways["login"], tls=Tls(Authority(tmp_path, "somebody else").ca_file)),
        "no certificate": replace(ways["certificate"], tls=Tls(ways["certificate"].tls.ca_file)),
        "in the clear": KafkaCluster(ways["login"].bootstrap),
    }[wrong]
    producer = Producer(cluster, client_id="test", timeout=SOON)
    try:
        with pytest.raises(DeliveryUnknown):
            await producer.send([OutRecord("t", b"k", b"v")])
    finally:
        await producer.stop()


def written(file: Path, text: str) -> Path:
    file.write_text(text)
    return file


async def consumed(cluster: KafkaCluster, scene: Scene, *, group: str) -> list[bytes | None]:
    got: list[bytes | None] = []

    async def keep(records) -> None:
        got.extend(record.value for record in records)

    broker = build_broker(cluster, client_id="test", topic_prefix=scene.prefix)
    declare_batch_subscriber(broker, topic="t", group=group, handler=keep)
    await broker.start(HealthComponent("kafka"))

    async def arrived() -> bool:
        return group.encode() in got

    try:
        await eventually(arrived)
    finally:
        await broker.stop()
    return got


async def read(cluster: KafkaCluster, scene: Scene) -> list[bytes | None]:
    reader = AssignedReader(cluster, ["t"], client_id="test", topic_prefix=scene.prefix)
    await reader.start(HealthComponent("kafka"))
    try:
        return [record.value async for batch in reader.load() for record in batch]
    finally:
        await reader.stop()
