"""Rendered manifests as plain objects, and what the tests ask of them."""

import copy
import functools
from pathlib import Path

import yaml

K8S = Path(__file__).parents[2] / "deploy" / "k8s"
OVERLAYS = ("dev", "staging", "prod")
SERVICES = {"order-binder": "order_binder", "call-router": "call_router", "recording-ingest": "recording_ingest"}
NAME = "app.kubernetes.io/name"
WORKLOADS = {"Deployment", "StatefulSet", "Job"}


@functools.cache
def _read(overlay):
    text = (K8S / "rendered" / f"{overlay}.yaml").read_text()
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    return [one for one in yaml.load_all(text, loader) if one]


class Manifests:
    """All objects of one overlay."""

    def __init__(self, objects):
        self.objects = objects

    @classmethod
    def of(cls, overlay):
        """Return the objects of the rendered file that lies in the tree, one's own to plant something in."""
        return cls(copy.deepcopy(_read(overlay)))

    def all(self, *kinds):
        """Return the objects of these kinds."""
        return [one for one in self.objects if one["kind"] in kinds]

    def one(self, kind, name):
        """Return the object of this kind and name; it must be there."""
        found = [one for one in self.all(kind) if one["metadata"]["name"] == name]
        assert len(found) == 1, f"{len(found)} {kind} {name}"
        return found[0]

    def workload(self, service):
        """Return what runs a service."""
        found = [one for one in self.all("Deployment", "StatefulSet") if one["metadata"]["name"] == service]
        assert len(found) == 1, service
        return found[0]

    def workloads(self):
        """Return every object with pods."""
        return self.all(*WORKLOADS)

    def pods_matching(self, labels):
        """Return the workloads whose pods carry all these labels."""
        return [one for one in self.workloads() if labels.items() <= pod_labels(one).items()]

    def environment(self, workload):
        """Return the variables of a workload's container, None where the value is known only in the cluster."""
        values = {}
        for source in container(workload).get("envFrom", []):
            values |= self.one("ConfigMap", source["configMapRef"]["name"])["data"]
        for entry in container(workload).get("env", []):
            values[entry["name"]] = entry.get("value")
        return values

    def secrets_mounted(self):
        """Return the name of every Secret that some pod mounts."""
        sources = (source for one in self.workloads() for source in secret_volumes(one).values())
        return {name for several in sources for name, _ in several}


def name(thing):
    """Return kind and name, to say which."""
    return f"{thing['kind']} {thing['metadata']['name']}"


def pod(workload):
    """Return the pod's spec."""
    return workload["spec"]["template"]["spec"]


def pod_labels(workload):
    """Return the labels of the pods."""
    return workload["spec"]["template"]["metadata"]["labels"]


def container(workload):
    """Return the only container."""
    (only,) = pod(workload)["containers"]
    return only


def port_names(workload):
    """Return the names of the container's ports."""
    return {port["name"] for port in container(workload).get("ports", [])}


def secret_volumes(workload):
    """Return by mount path a list of (Secret, {file: key}), None instead of the files for all keys as they are."""
    paths = {mount["name"]: mount["mountPath"] for mount in container(workload)["volumeMounts"]}
    found = {}
    for volume in pod(workload)["volumes"]:
        if "secret" in volume:
            found[paths[volume["name"]]] = [(volume["secret"]["secretName"], None)]
        for source in volume.get("projected", {}).get("sources", []):
            items = {item["path"]: item["key"] for item in source["secret"]["items"]}
            found.setdefault(paths[volume["name"]], []).append((source["secret"]["name"], items))
    return found
