"""Rights of the manifests on a Kafka that enforces them: the commands over dead letters can do all that they are for."""

import asyncio
import json
import os
import subprocess
import sys

import pytest
from deployment_manifests import SERVICES, Manifests
from kafka_rights import HELD_TO_RIGHTS, grant
from kafka_scene import Scene

from fareline_chassis.kafka.cluster import KafkaCluster
from fareline_chassis.kafka.dead_letters import DeadLetterBox
from fareline_chassis.kafka.dlq import dead_letter
from fareline_chassis.kafka.producer import Producer
from fareline_chassis.kafka.records import InRecord
from fareline_contracts.topics import REGISTRY, dlq_of
from fareline_devstack.kafka.server_properties import Listener
from fareline_devstack.ports import free_port

PLAIN_LOGIN = "org.apache.kafka.common.security.plain.PlainLoginModule"
GIVEN_UP = {service: topic for topic in REGISTRY for service in topic.given_up_by}


@pytest.fixture
async def kafka(own_kafka):
    """Return (a scene that may everything, where users log in) of a Kafka with our topics and users, without rights."""
    users = " ".join(f'user_{service}="word"' for service in SERVICES)
    logins = {"sasl.enabled.mechanisms": "PLAIN", "plain.sasl.jaas.config": f"{PLAIN_LOGIN} required {users};"}
    own_kafka.listeners.append(Listener("LOGINS", free_port(), "SASL_PLAINTEXT", logins))
    own_kafka.properties |= HELD_TO_RIGHTS
    scene = Scene(await asyncio.to_thread(own_kafka.start), "")
    for topic in GIVEN_UP.values():
        await scene.topic(topic.name)
        await scene.topic(dlq_of(topic).name)
    return scene, f"127.0.0.1:{own_kafka.listeners[-1].port}"


@pytest.fixture
def dlq(kafka, tmp_path):
    """Return a function that runs the command `dlq` of a service as its user."""
    (tmp_path / "password").write_text("word")
    login = {"KAFKA_SASL_MECHANISM": "PLAIN", "KAFKA_PASSWORD_FILE": str(tmp_path / "password")}

    async def run(service, *words):
        env = {**os.environ, **login, "KAFKA_BOOTSTRAP": kafka[1], "KAFKA_USERNAME": service}
        command = [sys.executable, "-m", SERVICES[service], "dlq", *words]
        return await asyncio.to_thread(
            subprocess.run, command, env=env, capture_output=True, text=True, timeout=60, check=False
        )

    return run


def rights_of(service):
    return Manifests.of("prod").one("KafkaUser", service)["spec"]["authorization"]["acls"]


async def put_aside(bootstrap, topic, *keys):
    producer = Producer(bootstrap, client_id="test")
    records = [
        InRecord(topic=topic.name, partition=0, offset=0, key=key, value=b"{}", headers=(), timestamp_ms=0)
        for key in keys
    ]
    try:
        await producer.send([dead_letter(each, reason="planted", detail="", group="test") for each in records])
    finally:
        await producer.stop()


async def test_dead_letters_are_worked_off_by_the_rights_that_users_have(kafka, dlq):
    scene, _ = kafka
    for service, topic in GIVEN_UP.items():
        await grant(scene.bootstrap, service, rights_of(service))
        await put_aside(scene.bootstrap, topic, b"one", b"two")
        listed = [json.loads(line) for line in (await dlq(service, "list", "--json")).stdout.splitlines()]
        assert [each["key"] for each in listed] == ["one", "two"]
        for verb, place in (("replay", listed[0]["place"]), ("drop", listed[1]["place"])):
            done = await dlq(service, verb, place, "--yes")
            assert (done.returncode, done.stdout) == (0, f"{verb}: 1 settled\n"), done.stderr
        assert await DeadLetterBox(KafkaCluster(scene.bootstrap), topic.name, client_id="test").read() == []


@pytest.mark.parametrize(
    ("taken", "words"), [("Read", ["list"]), ("Write", ["replay", "--all", "--yes"])], ids=["Read", "Write"]
)
async def test_a_right_that_is_missing_is_noticed_and_told(kafka, dlq, taken, words):
    scene, _ = kafka
    service, topic = "recording-ingest", GIVEN_UP["recording-ingest"]
    short = dlq_of(topic).name if taken == "Read" else topic.name
    acls = rights_of(service)
    for acl in acls:
        if acl["resource"]["name"] == short:
            acl["operations"].remove(taken)
    await grant(scene.bootstrap, service, acls)
    await put_aside(scene.bootstrap, topic, b"one")
    done = await dlq(service, *words)
    assert done.returncode == 1
    assert "dead letters cannot be reached" in done.stderr
    assert "Traceback" not in done.stderr
