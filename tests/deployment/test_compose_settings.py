"""docker-compose.yml says what the services read, as Kubernetes' manifests do, and gives them no right either."""

import importlib

import pytest
import yaml

SERVICES = {"order-binder": "order_binder", "call-router": "call_router", "recording-ingest": "recording_ingest"}
OF_THE_IMAGES = {"HTTP_HOST", "HTTP_PORT", "ROUTER_DATA_DIR", "STORAGE_URL", "SCRATCH_DIR"}


@pytest.fixture
def services(repository_root):
    return yaml.safe_load((repository_root / "docker-compose.yml").read_text())["services"]


def wrong(services, service):
    """Return the variables that no setting reads, and the required settings that nobody gives."""
    fields = importlib.import_module(f"{SERVICES[service]}.settings").Settings.model_fields
    given = set(services[service]["environment"])
    required = {name.upper() for name, about in fields.items() if about.is_required()}
    return {name for name in given if name.lower() not in fields} | (required - given - OF_THE_IMAGES)


@pytest.mark.parametrize("service", SERVICES)
def test_every_variable_is_a_setting_and_every_required_one_is_given(services, service):
    assert wrong(services, service) == set()
    services[service]["environment"]["KAFKA_BOTSTRAP"] = services[service]["environment"].pop("KAFKA_BOOTSTRAP")
    assert wrong(services, service) == {"KAFKA_BOTSTRAP", "KAFKA_BOOTSTRAP"}


def test_everything_of_ours_runs_without_rights(services):
    ours = {name: one for name, one in services.items() if "fareline/" in one["image"]}
    assert len(ours) == 7
    for name, one in ours.items():
        assert one["read_only"] is True, name
        assert one["cap_drop"] == ["ALL"], name
        assert one["user"] == "10001:10001", name


def test_only_this_machine_reaches_the_ports(services):
    ports = [port for one in services.values() for port in one.get("ports", [])]
    assert len(ports) >= 4
    assert all(port.startswith("127.0.0.1:") for port in ports)


def test_no_proxy_is_believed_unless_it_is_named(services):
    assert services["recording-ingest"]["environment"]["FORWARDED_ALLOW_IPS"] == "${FORWARDED_ALLOW_IPS-}"


def test_files_that_are_mounted_exist(services, repository_root):
    volumes = [volume for one in services.values() for volume in one.get("volumes", []) if isinstance(volume, dict)]
    for volume in volumes:
        source = volume["source"].removeprefix("${FARELINE_ACCOUNTS_FILE:-").removesuffix("}")
        assert (repository_root / source).exists(), source


def test_the_profile_for_watching_is_not_started_by_itself(services):
    watching = {name for name, one in services.items() if one.get("profiles") == ["observability"]}
    assert watching == {"prometheus", "grafana", "otel-collector", "jaeger"}


def undeclared(config):
    """Return the components of the collector's pipelines that are not configured, and the configured ones unused."""
    declared = {(kind, name) for kind in ("receivers", "processors", "exporters") for name in config[kind]}
    used = {
        (kind, name)
        for pipeline in config["service"]["pipelines"].values()
        for kind, names in pipeline.items()
        for name in names
    }
    return declared ^ used


def test_traces_have_a_way_from_the_services_to_the_viewer(repository_root, services):
    config = yaml.safe_load((repository_root / "deploy/compose/otel-collector.yaml").read_text())
    assert undeclared(config) == set()
    target = config["exporters"]["otlp/jaeger"]["endpoint"].partition(":")[0]
    assert target in services
    config["service"]["pipelines"]["traces"]["exporters"] = ["otlp/jeager"]
    assert undeclared(config) == {("exporters", "otlp/jaeger"), ("exporters", "otlp/jeager")}


def test_prometheus_scrapes_every_service_at_its_port(repository_root, services):
    config = yaml.safe_load((repository_root / "deploy/compose/prometheus.yml").read_text())
    jobs = {job["job_name"]: job["static_configs"][0]["targets"] for job in config["scrape_configs"]}
    ports = {name: services[name]["ports"][0].rpartition(":")[2] for name in SERVICES}
    assert jobs == {name: [f"{name}:{port}"] for name, port in ports.items()}


def test_grafana_finds_the_dashboards_where_they_are_mounted(repository_root, services):
    folder = repository_root / "deploy/compose/grafana"
    provider = yaml.safe_load((folder / "dashboards/fareline.yaml").read_text())["providers"][0]
    mounts = {volume["target"]: volume["source"] for volume in services["grafana"]["volumes"]}
    assert mounts[provider["options"]["path"]].endswith("monitoring/dashboards")
    source = yaml.safe_load((folder / "datasources/prometheus.yaml").read_text())["datasources"][0]
    assert source["url"] == "http://prometheus:9090"
