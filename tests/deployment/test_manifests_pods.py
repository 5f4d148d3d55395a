"""Pods: the restricted profile and more, their settings, and the migrations. Each rule has a violation planted."""

import importlib
import re

import pytest
import typer
from deployment_manifests import OVERLAYS, SERVICES, Manifests, container, name, pod, pod_labels, secret_volumes

SECRETS_DIR = "/run/secrets/fareline"
# Read by all settings, of none of them: where the files with the secret ones are.
OF_THE_FRAME = {"FARELINE_SECRETS_DIR"}
VOLUMES = {"configMap", "secret", "emptyDir", "projected", "csi", "persistentVolumeClaim"}


@pytest.fixture(params=OVERLAYS)
def manifests(request):
    return Manifests.of(request.param)


@pytest.fixture
def planted():
    return Manifests.of("prod")


# --- rights


def faults(workload):
    """Return what the restricted profile, a read-only root or our own habits refuse about a workload's pods."""
    spec, only = pod(workload), container(workload)
    context, own = spec["securityContext"], only["securityContext"]
    rules = {
        "may be root": context.get("runAsNonRoot") is True and context.get("runAsUser", 0) > 0,
        "seccomp": context.get("seccompProfile") == {"type": "RuntimeDefault"},
        "escalation": own.get("allowPrivilegeEscalation") is False,
        "capabilities": own.get("capabilities") == {"drop": ["ALL"]},
        "root writable": own.get("readOnlyRootFilesystem") is True,
        "API token": spec.get("automountServiceAccountToken") is False,
        "account": spec.get("serviceAccountName") in SERVICES,
        "host": not {"hostNetwork", "hostPID", "hostIPC"} & spec.keys(),
        "volumes": all(VOLUMES & volume.keys() for volume in spec["volumes"]),
        "unbounded scratch": all("sizeLimit" in volume.get("emptyDir", {"sizeLimit": 1}) for volume in spec["volumes"]),
        "memory": only["resources"]["requests"]["memory"] == only["resources"]["limits"]["memory"],
        "secret in the environment": not re.search("secretKeyRef|secretRef", str(only)),
    }
    return [rule for rule, holds in rules.items() if not holds]


def test_every_pod_is_restricted(manifests):
    assert {name(one): faults(one) for one in manifests.workloads() if faults(one)} == {}


@pytest.mark.parametrize(
    ("rule", "plant"),
    [
        ("may be root", lambda one: pod(one)["securityContext"].update(runAsUser=0)),
        ("capabilities", lambda one: container(one)["securityContext"].pop("capabilities")),
        ("root writable", lambda one: container(one)["securityContext"].update(readOnlyRootFilesystem=False)),
        ("API token", lambda one: pod(one).update(automountServiceAccountToken=True)),
        ("volumes", lambda one: pod(one)["volumes"].append({"name": "x", "hostPath": {"path": "/"}})),
        ("unbounded scratch", lambda one: pod(one)["volumes"].append({"name": "x", "emptyDir": {}})),
        ("memory", lambda one: container(one)["resources"]["limits"].update(memory="9Gi")),
        (
            "secret in the environment",
            lambda one: container(one).setdefault("env", []).append({"valueFrom": {"secretKeyRef": {"name": "x"}}}),
        ),
    ],
)
def test_a_planted_right_is_found(planted, rule, plant):
    one = planted.workload("call-router")
    plant(one)
    assert faults(one) == [rule]


def test_namespaces_enforce_what_the_pods_keep(manifests):
    (namespace,) = manifests.all("Namespace")
    assert namespace["metadata"]["labels"]["pod-security.kubernetes.io/enforce"] == "restricted"


# --- settings


def settings_of(service):
    return importlib.import_module(f"{SERVICES[service]}.settings").Settings


def unknown_settings(manifests):
    """Return (service, variable) for what no setting of the service reads."""
    return {
        (service, variable)
        for service in SERVICES
        for variable in given(manifests, service) - OF_THE_FRAME
        if variable.lower() not in settings_of(service).model_fields
    }


def missing_settings(manifests):
    """Return (service, setting) for what a service requires and nobody gives."""
    return {
        (service, field)
        for service in SERVICES
        for field, about in settings_of(service).model_fields.items()
        if about.is_required() and field.upper() not in given(manifests, service)
    }


def given(manifests, service):
    workload = manifests.workload(service)
    return manifests.environment(workload).keys() | secret_files(manifests, workload)


def secret_files(manifests, workload):
    """Return the settings that come as files, as variables; where no store is described, those that the guide names."""
    stored = {one["metadata"]["name"]: one["spec"]["data"] for one in manifests.all("ExternalSecret")}
    files = set()
    for secret, items in secret_volumes(workload)[SECRETS_DIR]:
        files |= set(items or {entry["secretKey"] for entry in stored.get(secret, ())})
    fields = settings_of(service_of(workload)).model_fields
    return {file.upper() for file in files or {"database_url", "order_binder_token"} & fields.keys()}


def service_of(workload):
    return workload["metadata"]["name"]


def test_every_variable_is_a_setting_and_every_required_setting_is_given(manifests):
    assert unknown_settings(manifests) == set()
    assert missing_settings(manifests) == set()


def test_a_planted_misspelt_variable_is_found(planted):
    (settings,) = [one for one in planted.all("ConfigMap") if one["metadata"]["name"].startswith("call-router")]
    settings["data"]["KAFKA_BOTSTRAP"] = settings["data"].pop("KAFKA_BOOTSTRAP")
    assert unknown_settings(planted) == {("call-router", "KAFKA_BOTSTRAP")}
    assert missing_settings(planted) == {("call-router", "kafka_bootstrap")}


def test_settings_are_accepted_and_the_secret_ones_are_files(manifests, monkeypatch):
    for service in SERVICES:
        workload = manifests.workload(service)
        cls = settings_of(service)
        given = manifests.environment(workload).items()
        values = {key.lower(): "from-the-cluster" if value is None else value for key, value in given}
        secret = {field for field, about in cls.model_fields.items() if "Secret" in str(about.annotation)}
        assert not secret & values.keys(), "a secret among the variables"
        for field in secret_files(manifests, workload):
            values[field.lower()] = "postgresql://u:p@h/d" if field == "DATABASE_URL" else "x"
        made = cls(**{key: value for key, value in values.items() if key in cls.model_fields})
        assert made.http_port == container(workload)["ports"][0]["containerPort"]
        assert made.http_host == "0.0.0.0"


def test_the_demos_secrets_are_allowed_on_a_developers_cluster_only():
    for overlay in OVERLAYS:
        demo = [one for one in Manifests.of(overlay).all("ConfigMap") if "FARELINE_DEMO" in one["data"]]
        assert len(demo) == (len(SERVICES) if overlay == "dev" else 0)


# --- migrations


def misunderstood(manifests):
    """Return the workloads whose arguments the service does not understand."""
    found = []
    for one in manifests.workloads():
        service = container(one)["image"].rpartition("/")[2].partition(":")[0]
        cli = typer.main.get_command(importlib.import_module(f"{SERVICES[service]}.__main__").cli)
        verb, *words = container(one).get("args", ["run"])
        try:
            cli.commands[verb].make_context(verb, words)
        except (KeyError, *typer.BadParameter.__bases__):
            found.append(name(one))
    return found


def test_every_service_understands_what_it_is_told(manifests):
    assert misunderstood(manifests) == []


def test_planted_arguments_that_nobody_understands_are_found(planted):
    first, second, *_ = planted.all("Job")
    container(first)["args"] = ["migrat", "--phase", "pre"]
    container(second)["args"] = ["migrate", "pre"]
    assert misunderstood(planted) == [name(first), name(second)]


def test_each_release_migrates_before_and_after_by_jobs_of_its_own(manifests):
    jobs = {one["metadata"]["name"]: one for one in manifests.all("Job")}
    for service in ("order-binder", "recording-ingest"):
        version = container(manifests.workload(service))["image"].rpartition(":")[2]
        for phase in ("pre", "post"):
            (job,) = [one for key, one in jobs.items() if key.startswith(f"{service}-migrate-{phase}-")]
            assert container(job)["image"] == container(manifests.workload(service))["image"]
            assert version == "dev" or job["metadata"]["name"].endswith(version.replace(".", "-"))
            # what docs/deploy.md applies by
            assert job["metadata"]["labels"]["fareline.dev/phase"] == phase
            assert container(job)["args"] == ["migrate", "--phase", phase]
            assert pod_labels(job)["app.kubernetes.io/name"] == f"{service}-migrate"
