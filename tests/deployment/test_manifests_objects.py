"""What no schema sees: objects that name each other, in every overlay. Each rule has a violation planted."""

import json
import subprocess
import sys

import pytest
from deployment_manifests import (
    K8S,
    NAME,
    OVERLAYS,
    SERVICES,
    Manifests,
    container,
    name,
    pod,
    pod_labels,
    port_names,
)
from jsonschema import Draft202012Validator

CUSTOM = {path.stem for path in (K8S / "schemas").glob("*.json")}
BUILT_IN = {
    "ConfigMap", "Deployment", "HorizontalPodAutoscaler", "Ingress", "Job", "Namespace", "NetworkPolicy",
    "PodDisruptionBudget", "PriorityClass", "Service", "ServiceAccount", "StatefulSet",
}  # fmt: skip
OF_OPERATORS = {"fareline-cluster-ca-cert"}
ANYWHERE = {"0.0.0.0/0", "2000::/3", "::/0"}


@pytest.fixture(params=OVERLAYS)
def manifests(request):
    return Manifests.of(request.param)


@pytest.fixture
def planted():
    return Manifests.of("prod")


def test_generated_files_are_current(repository_root):
    done = subprocess.run(
        [sys.executable, "-m", "deploy.k8s.generate", "--check"],
        cwd=repository_root,
        capture_output=True,
        text=True,
        check=False,
    )
    if "NOT RENDERED" in done.stdout:
        pytest.skip(f"NOT PROVEN HERE: {done.stdout}")
    assert done.returncode == 0, done.stdout


# --- selectors


def dangling(manifests):
    """Return what selects no pods, or those of more than one workload."""
    found = []
    for one in manifests.all("Service", "PodDisruptionBudget", "NetworkPolicy", "PodMonitor"):
        spec = one["spec"]
        selector = spec["podSelector"] if one["kind"] == "NetworkPolicy" else spec["selector"]
        labels = selector if one["kind"] == "Service" else selector.get("matchLabels", {})
        if labels and len(manifests.pods_matching(labels)) != 1:
            found.append(name(one))
    found += [name(one) for one in manifests.workloads() if not selects_itself(one)]
    return found + [name(one) for one in scalers(manifests) if target_of(one) not in targets(manifests)]


def selects_itself(workload):
    wanted = workload["spec"].get("selector", {}).get("matchLabels", {})
    return wanted.items() <= pod_labels(workload).items()


def scalers(manifests):
    return manifests.all("HorizontalPodAutoscaler", "ScaledObject")


def target_of(scaler):
    return scaler["spec"]["scaleTargetRef"]["kind"], scaler["spec"]["scaleTargetRef"]["name"]


def targets(manifests):
    return {(one["kind"], one["metadata"]["name"]) for one in manifests.all("Deployment", "StatefulSet")}


def test_every_selector_hits_the_pods_of_one_workload(manifests):
    assert dangling(manifests) == []


@pytest.mark.parametrize("kind", ["Service", "PodDisruptionBudget", "PodMonitor"])
def test_a_planted_wrong_selector_is_found(planted, kind):
    one = planted.one(kind, "call-router")
    selector = one["spec"]["selector"]
    (selector if kind == "Service" else selector["matchLabels"])[NAME] = "call-ruoter"
    assert dangling(planted) == [f"{kind} call-router"]


def test_a_planted_scaler_of_nothing_is_found(planted):
    planted.one("ScaledObject", "order-binder")["spec"]["scaleTargetRef"]["kind"] = "StatefulSet"
    assert dangling(planted) == ["ScaledObject order-binder"]


def test_what_watches_the_lag_is_allowed_to(manifests):
    users = {one["metadata"]["name"] for one in manifests.all("KafkaUser")}
    logins = {one["metadata"]["name"]: one["spec"] for one in manifests.all("TriggerAuthentication")}
    for one in manifests.all("ScaledObject"):
        for trigger in one["spec"]["triggers"]:
            login = logins[trigger["authenticationRef"]["name"]]
            names = {source["name"] for source in login["secretTargetRef"]}
            assert names <= users | OF_OPERATORS
            workload = manifests.one(*target_of(one))
            assert {source["name"] for source in login["env"]} <= manifests.environment(workload).keys()
            assert trigger["metadata"]["bootstrapServers"] == manifests.environment(workload)["KAFKA_BOOTSTRAP"]


def test_nothing_is_scaled_by_two(manifests):
    scaled = [target_of(one) for one in scalers(manifests)]
    assert len(scaled) == len(set(scaled))
    assert [one for one in targets(manifests) if one in scaled and "replicas" in manifests.one(*one)["spec"]] == []


# --- ports


def wrong_ports(manifests):
    """Return (object, port) where a port is named that the pods or the Service do not have."""
    found = []
    for service in manifests.all("Service"):
        (workload,) = manifests.pods_matching(service["spec"]["selector"])
        aimed = [port["targetPort"] for port in service["spec"]["ports"]]
        found += [(name(service), port) for port in aimed if port not in port_names(workload)]
    for monitor in manifests.all("PodMonitor"):
        (workload,) = manifests.pods_matching(monitor["spec"]["selector"]["matchLabels"])
        found += [
            (name(monitor), end["port"])
            for end in monitor["spec"]["podMetricsEndpoints"]
            if end["port"] not in port_names(workload)
        ]
    return found + wrong_probe_ports(manifests) + wrong_ingress_ports(manifests)


def wrong_probe_ports(manifests):
    probes = [
        (one, probe["httpGet"]["port"])
        for one in manifests.workloads()
        for kind, probe in container(one).items()
        if kind.endswith("Probe")
    ]
    return [(name(one), port) for one, port in probes if port not in port_names(one)]


def wrong_ingress_ports(manifests):
    backends = [
        (name(ingress), path["backend"]["service"])
        for ingress in manifests.all("Ingress")
        for rule in ingress["spec"]["rules"]
        for path in rule["http"]["paths"]
    ]
    ports = {
        one["metadata"]["name"]: {port["name"] for port in one["spec"]["ports"]} for one in manifests.all("Service")
    }
    return [
        (who, end["port"]["name"]) for who, end in backends if end["port"]["name"] not in ports.get(end["name"], ())
    ]


def test_every_port_is_named_and_is_there(manifests):
    assert wrong_ports(manifests) == []


def test_a_planted_wrong_port_is_found(planted):
    planted.one("Service", "call-router")["spec"]["ports"][0]["targetPort"] = "web"
    planted.one("Ingress", "order-binder")["spec"]["rules"][0]["http"]["paths"][0]["backend"]["service"]["port"] = {
        "name": "https"
    }
    assert wrong_ports(planted) == [("Service call-router", "web"), ("Ingress order-binder", "https")]


# --- network


def reaching_out(manifests):
    """Return the policies that open the internet."""
    return {
        one["metadata"]["name"]
        for one in manifests.all("NetworkPolicy")
        for rule in one["spec"].get("egress", [])
        for peer in rule.get("to", [{"ipBlock": {"cidr": "0.0.0.0/0"}}])
        if peer.get("ipBlock", {}).get("cidr") in ANYWHERE
    }


def test_only_recording_ingest_reaches_the_internet_and_never_inside(manifests):
    assert reaching_out(manifests) == {"recording-ingest"}
    blocks = [
        peer["ipBlock"]
        for rule in manifests.one("NetworkPolicy", "recording-ingest")["spec"]["egress"]
        for peer in rule["to"]
        if "ipBlock" in peer
    ]
    excepted = {cidr for block in blocks for cidr in block["except"]}
    private = {"10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "169.254.0.0/16", "127.0.0.0/8"}
    assert private <= excepted


def test_a_planted_way_out_is_found(planted):
    planted.one("NetworkPolicy", "call-router")["spec"]["egress"].append({"ports": [{"port": 443}]})
    assert reaching_out(planted) == {"recording-ingest", "call-router"}


def test_everything_is_denied_first(manifests):
    deny = manifests.one("NetworkPolicy", "deny-all")["spec"]
    assert deny == {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}


# --- availability


def too_short(manifests):
    """Return the workloads that are killed before they can have ended in order."""
    from inspect import signature

    from fareline_chassis.lifecycle import serve

    bounds = {key: each.default for key, each in signature(serve).parameters.items()}
    ending = bounds["drain"].total_seconds() + 2 * bounds["stop_within"].total_seconds()
    return [
        name(one)
        for one in manifests.all("Deployment", "StatefulSet")
        if pod(one)["terminationGracePeriodSeconds"] < sleep_of(one) + drain_of(manifests, one) + ending
    ]


def drain_of(manifests, workload):
    """Return how long a router told to end still takes calls, where it is told so."""
    return int(manifests.environment(workload).get("ROUTER_DRAIN_S") or 0)


def sleep_of(workload):
    return container(workload).get("lifecycle", {}).get("preStop", {}).get("sleep", {}).get("seconds", 0)


def test_the_grace_period_is_longer_than_the_end_takes(manifests):
    assert too_short(manifests) == []


def test_a_planted_short_grace_is_found(planted):
    pod(planted.workload("call-router"))["terminationGracePeriodSeconds"] = 45
    assert too_short(planted) == ["StatefulSet call-router"]


def test_the_router_is_asked_by_probes_of_its_own_and_sleeps_before_it_ends(manifests):
    router = manifests.workload("call-router")
    paths = {
        kind: container(router)[f"{kind}Probe"]["httpGet"]["path"] for kind in ("startup", "readiness", "liveness")
    }
    assert paths == {"startup": "/health/startup", "readiness": "/health/ready", "liveness": "/health/live"}
    assert sleep_of(router) >= 5
    limits = container(router)["resources"]["limits"]
    assert "cpu" not in limits  # throttling would be waiting time on the line


def test_one_at_a_time_may_be_taken_away(manifests):
    for service in SERVICES:
        budget = manifests.one("PodDisruptionBudget", service)["spec"]
        assert budget["maxUnavailable"] == 1
        assert budget["unhealthyPodEvictionPolicy"] == "AlwaysAllow"
        keys = {each["topologyKey"] for each in pod(manifests.workload(service))["topologySpreadConstraints"]}
        assert keys == {"topology.kubernetes.io/zone", "kubernetes.io/hostname"}


# --- custom kinds


def invalid(objects):
    """Return (object, fault) for each that its closed schema, or being of an unknown kind, refuses."""
    found = []
    for one in objects:
        if one["kind"] in CUSTOM:
            schema = json.loads((K8S / "schemas" / f"{one['kind']}.json").read_text())
            found += [(name(one), fault.message) for fault in Draft202012Validator(schema).iter_errors(one)]
        elif one["kind"] not in BUILT_IN:
            found.append((name(one), "a kind without a schema"))
    return found


def test_custom_kinds_fit_their_schemas(manifests):
    assert invalid(manifests.objects) == []


@pytest.mark.parametrize("kind", sorted(CUSTOM - {"Cluster"}))
def test_a_planted_misspelling_in_a_custom_kind_is_found(planted, kind):
    one = planted.all(kind)[0]
    one["spec"]["speling"] = 1
    assert invalid([one])[0][0] == name(one)


def test_a_planted_misspelling_deep_inside_is_found(planted):
    topic = planted.all("KafkaTopic")[0]
    topic["spec"]["config"]["cleanup.polcy"] = "compact"
    assert len(invalid([topic])) == 1
    assert invalid([{"kind": "Frobnicator", "metadata": {"name": "x"}}]) == [
        ("Frobnicator x", "a kind without a schema")
    ]
