"""What watches the system in compose: the collector, Prometheus and Grafana accept their configuration, and find it wrong when it is."""

import re
import subprocess

import pytest
import yaml
from jsonschema import Draft202012Validator

COLLECTOR = "`make deploy-check` builds it where Go is installed"
PROMTOOL = "it comes with Debian's package prometheus"


def closed(properties, required=()):
    return {
        "type": "object",
        "properties": properties,
        "required": list(required),
        "additionalProperties": False,
        "minProperties": 1,
    }


TEXT, YES = {"type": "string"}, {"type": "boolean"}
# Grafana has no program that judges its provisioning, and leaves out what it does not know without a word
SOURCE = closed({"name": TEXT, "type": {"const": "prometheus"}, "uid": TEXT, "url": TEXT, "isDefault": YES}, ("name", "type", "url"))  # fmt: skip
PROVIDER = closed(
    {
        "name": TEXT,
        "folder": TEXT,
        "type": {"const": "file"},
        "options": closed({"path": TEXT}, ("path",)),
    },
    ("name", "type", "options"),
)
PROVISIONING = {
    "datasources/prometheus.yaml": closed({"apiVersion": {"const": 1}, "datasources": {"items": SOURCE}}, ("datasources",)),
    "dashboards/fareline.yaml": closed({"apiVersion": {"const": 1}, "providers": {"items": PROVIDER}}, ("providers",)),
}  # fmt: skip


def run(*words):
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout + done.stderr


@pytest.fixture
def compose(repository_root):
    return repository_root / "deploy/compose"


def planted(path, folder, right, wrong):
    """Return a copy of `path` in `folder` in which `right` has become `wrong`."""
    assert right in path.read_text()
    copy = folder / path.name
    copy.write_text(path.read_text().replace(right, wrong, 1))
    return copy


@pytest.mark.tools
def test_the_collector_accepts_its_configuration(tool, compose):
    code, said = run(tool("otelcol", COLLECTOR), "validate", f"--config={compose / 'otel-collector.yaml'}")
    assert code == 0, said


@pytest.mark.tools
@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ("check_interval", "chek_interval"),
        ("limit_mib: 256", "limit_mib: plenty"),
        ("processors: [memory_limiter, batch]", "processors: [memory_limiter, bach]"),
        ("  batch: {}", "  bach: {}"),
        ("endpoint: jaeger:4317", "endpont: jaeger:4317"),
    ],
)
def test_the_collector_finds_planted_mistakes(tool, compose, tmp_path, right, wrong):
    copy = planted(compose / "otel-collector.yaml", tmp_path, right, wrong)
    assert run(tool("otelcol", COLLECTOR), "validate", f"--config={copy}")[0] != 0


def test_the_collector_that_judges_is_the_one_that_runs(repository_root):
    parts = yaml.safe_load((repository_root / "deploy/otelcol.yaml").read_text())
    judges = {
        one["gomod"].rpartition(" v")[2] for kind in ("receivers", "processors", "exporters") for one in parts[kind]
    }
    image = yaml.safe_load((repository_root / "docker-compose.yml").read_text())["services"]["otel-collector"]["image"]
    assert judges == {image.rpartition(":")[2]}


@pytest.mark.tools
def test_prometheus_finds_a_planted_mistake(tool, compose, tmp_path):
    copy = planted(compose / "prometheus.yml", tmp_path, "scrape_interval", "scrap_interval")
    assert run(tool("promtool", PROMTOOL), "check", "config", "--syntax-only", copy)[0] != 0


def unfit(text, name):
    return [fault.message for fault in Draft202012Validator(PROVISIONING[name]).iter_errors(yaml.safe_load(text))]


@pytest.mark.parametrize("name", PROVISIONING)
def test_grafana_is_given_nothing_that_it_does_not_know(compose, name):
    text = (compose / "grafana" / name).read_text()
    assert unfit(text, name) == []
    for key in re.findall(r"(\w+):\s", text):
        assert unfit(text.replace(f"{key}:", f"{key}x:", 1), name), key


def test_every_file_for_grafana_is_looked_at(compose):
    folder = compose / "grafana"
    assert {str(path.relative_to(folder)) for path in folder.rglob("*.yaml")} == set(PROVISIONING)
