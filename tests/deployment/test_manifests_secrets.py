"""Secrets and Kafka's users in the manifests: who makes what is mounted, and whether rights are those of the contracts."""

import pytest
from deployment_manifests import OVERLAYS, SERVICES, Manifests, name, secret_volumes

from fareline_contracts.topics import deployed_topics

# Made by Strimzi and CloudNativePG, beside the secrets of users.
OF_OPERATORS = {"fareline-cluster-ca-cert", "fareline-db-app", "fareline-db-ca"}
# order-binder reads back what it published
EXCEPTIONS = {
    ("order-binder", "fareline.bindings.v1", "Read"),
    ("order-binder", "fareline.numbers.v1", "Read"),
    ("order-binder", "fareline.tenants.v1", "Read"),
}


@pytest.fixture(params=OVERLAYS)
def manifests(request):
    return Manifests.of(request.param)


@pytest.fixture
def planted():
    return Manifests.of("prod")


# --- secrets and volumes


def unmounted(manifests):
    """Return the secrets that are mounted and nobody makes, and those of the store that nobody mounts."""
    offered = {one["metadata"]["name"] for one in manifests.all("ExternalSecret")}
    if not offered:
        return set()
    by_operators = {one["metadata"]["name"] for one in manifests.all("KafkaUser")} | OF_OPERATORS
    return (manifests.secrets_mounted() - by_operators) ^ offered


def test_every_mounted_secret_is_made_by_somebody_and_the_reverse(manifests):
    assert unmounted(manifests) == set()


def test_a_planted_secret_that_nobody_offers_is_found(planted):
    planted.one("ExternalSecret", "fareline-accounts")["metadata"]["name"] = "fareline-acounts"
    assert unmounted(planted) == {"fareline-accounts", "fareline-acounts"}


def missing_files(manifests):
    """Return (workload, variable) where a variable names a file that no volume holds."""
    stored = {
        one["metadata"]["name"]: {entry["secretKey"] for entry in one["spec"]["data"]}
        for one in manifests.all("ExternalSecret")
    }
    found = []
    for one in manifests.workloads():
        there = {
            f"{path}/{file}"
            for path, several in secret_volumes(one).items()
            for secret, items in several
            for file in (items or stored.get(secret, ()))
        }
        asked = {key: value for key, value in manifests.environment(one).items() if key.endswith("_FILE")}
        found += [(name(one), key) for key, value in asked.items() if stored and value not in there]
    return found


def test_every_file_that_a_setting_names_is_mounted(manifests):
    assert missing_files(manifests) == []


def test_a_planted_file_that_is_nowhere_is_found(planted):
    (settings,) = [one for one in planted.all("ConfigMap") if one["metadata"]["name"].startswith("call-router")]
    settings["data"]["KAFKA_PASSWORD_FILE"] = "/run/secrets/kafka/passwort"
    assert missing_files(planted) == [("StatefulSet call-router", "KAFKA_PASSWORD_FILE")]


# --- Kafka


def wrong_rights(manifests):
    """Return (service, topic, operation) that the registry of topics asks for and no user has, or the reverse."""
    wanted = set()
    for topic in deployed_topics():
        wanted |= {(service, topic.name, "Write") for service in SERVICES if service in topic.producers}
        wanted |= {(service, topic.name, "Read") for service in SERVICES if service in topic.consumers}
        # its command `dlq` sends what it gave up to the topic again
        wanted |= {(service, topic.name, "Write") for service in topic.given_up_by}
    granted = {
        (user["metadata"]["name"], acl["resource"]["name"], operation)
        for user in manifests.all("KafkaUser")
        for acl in user["spec"]["authorization"]["acls"]
        for operation in acl["operations"]
        if acl["resource"]["type"] == "topic" and operation != "Describe"
    }
    return (wanted ^ granted) - EXCEPTIONS


@pytest.mark.parametrize("overlay", ["staging", "prod"])
def test_users_may_what_the_contracts_say_and_no_more(overlay):
    assert wrong_rights(Manifests.of(overlay)) == set()


def test_a_planted_right_is_found(planted):
    planted.one("KafkaUser", "call-router")["spec"]["authorization"]["acls"][0]["operations"].append("Write")
    assert wrong_rights(planted) == {("call-router", "fareline.bindings.v1", "Write")}


@pytest.mark.parametrize("overlay", ["staging", "prod"])
def test_topics_are_those_of_the_contracts(overlay):
    found = {one["metadata"]["name"]: one["spec"] for one in Manifests.of(overlay).all("KafkaTopic")}
    assert found.keys() == {topic.name for topic in deployed_topics()}
    for topic in deployed_topics():
        assert topic.settings.items() <= found[topic.name]["config"].items()
        assert found[topic.name]["partitions"] == topic.partitions
        assert found[topic.name]["config"]["min.insync.replicas"] == "2"
