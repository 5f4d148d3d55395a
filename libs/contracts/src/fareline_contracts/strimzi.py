"""The topics of a deployment as Strimzi's custom resources: `deploy/k8s/components/strimzi/topics.yaml`."""

from fareline_contracts.topics import Topic, deployed_topics

HEAD = "# Written by `make k8s` from the registry of topics in libs/contracts: do not edit.\n"
REPLICAS = 3
MIN_INSYNC = 2


def strimzi_topics(cluster: str, *, replicas: int = REPLICAS, min_insync: int = MIN_INSYNC) -> str:
    """Return a YAML document for each deployed topic, for the Kafka that Strimzi runs as `cluster`."""
    return HEAD + "---\n".join(_topic(topic, cluster, replicas, min_insync) for topic in deployed_topics())


def _topic(topic: Topic, cluster: str, replicas: int, min_insync: int) -> str:
    config = {**topic.settings, "min.insync.replicas": str(min_insync)}
    lines = "".join(f'    {name}: "{value}"\n' for name, value in config.items())
    return (
        "apiVersion: kafka.strimzi.io/v1\n"
        "kind: KafkaTopic\n"
        "metadata:\n"
        f"  name: {topic.name}\n"
        "  labels:\n"
        f"    strimzi.io/cluster: {cluster}\n"
        "spec:\n"
        "  # never changed once it exists: keys would move to other partitions\n"
        f"  partitions: {topic.partitions}\n"
        f"  replicas: {replicas}\n"
        f"  config:\n{lines}"
    )
