"""The way in from outside: what services take, the ingress lets through; and the overlay that the guide makes."""

import re
import shutil
import subprocess

import pytest
import yaml
from deployment_manifests import K8S, OVERLAYS, Manifests

from order_binder.inbound import http as order_binder_http
from recording_ingest.settings import Settings as RecordingIngest

SIZE = "nginx.ingress.kubernetes.io/proxy-body-size"
MIB = 1024 * 1024
TAKEN = {
    "order-binder": order_binder_http._BATCH_BYTES,
    "recording-ingest": RecordingIngest.model_fields["download_max_bytes"].default,
    "call-router": 64 * 1024,
}


def too_narrow(manifests):
    """Return the services that take larger bodies than their ingress; without a word it lets 1 MiB through."""
    sizes = {one["metadata"]["name"]: one["metadata"].get("annotations", {}) for one in manifests.all("Ingress")}
    return {name for name, about in sizes.items() if int(about.get(SIZE, "1m").removesuffix("m")) * MIB < TAKEN[name]}


@pytest.mark.parametrize("overlay", ["staging", "prod"])
def test_what_a_service_takes_gets_in(overlay):
    assert too_narrow(Manifests.of(overlay)) == set()


def test_a_planted_narrow_door_is_found():
    planted = Manifests.of("prod")
    del planted.one("Ingress", "order-binder")["metadata"]["annotations"][SIZE]
    assert too_narrow(planted) == {"order-binder"}


def settings_of_ingest(manifests):
    (settings,) = [one for one in manifests.all("ConfigMap") if one["metadata"]["name"].startswith("recording-ingest")]
    return settings["data"]


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_nobody_says_who_the_client_is_unless_an_overlay_names_him(overlay):
    assert settings_of_ingest(Manifests.of(overlay))["FORWARDED_ALLOW_IPS"] == ""


def test_the_overlay_of_the_guide_can_be_made(repository_root, tmp_path):
    if shutil.which("kubectl") is None:
        pytest.skip("NOT PROVEN HERE: kubectl is not installed")
    guide = (repository_root / "docs/deploy.md").read_text()
    (patches,) = re.findall(r"^```yaml\n(  - target:.*?)^```", guide, re.MULTILINE | re.DOTALL)
    shutil.copytree(K8S, tmp_path / "k8s")
    mine = shutil.copytree(K8S / "overlays/prod", tmp_path / "k8s/overlays/mine") / "kustomization.yaml"
    mine.write_text(mine.read_text() + patches)
    done = subprocess.run(["kubectl", "kustomize", mine.parent], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    made = Manifests([one for one in yaml.safe_load_all(done.stdout) if one])
    settings = settings_of_ingest(made)
    assert settings["STORAGE_URL"] == "s3://my-recordings"
    assert settings["FORWARDED_ALLOW_IPS"] == "10.42.0.0/16"
    ingress = made.one("Ingress", "order-binder")["spec"]
    assert [ingress["rules"][0]["host"]] == ingress["tls"][0]["hosts"] == ["orders.my.example"]
