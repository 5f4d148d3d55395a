"""Objectives and alerts: rules that promtool accepts, each proven by series, with a page to open; metrics that exist."""

import re
import subprocess

import pytest
import yaml
from deployment_manifests import K8S
from deployment_metrics import exported_metrics, metrics_in

RULES = sorted((K8S / "components/monitoring/rules").glob("*.yml"))
PROMTOOL = "it comes with Debian's package prometheus"


def rules():
    groups = [group for path in RULES for group in yaml.safe_load(path.read_text())["groups"]]
    return [rule for group in groups for rule in group["rules"]]


def alerts():
    return {rule["alert"]: rule for rule in rules() if "alert" in rule}


def proven(text):
    """Return (alert, whether it is to fire) for each test of a file of promtool's."""
    return {
        (check["alertname"], bool(check["exp_alerts"]))
        for test in yaml.safe_load(text)["tests"]
        for check in test["alert_rule_test"]
    }


def series_files(repository_root):
    return sorted((repository_root / "tests/deployment/rules").glob("*.test.yml"))


def test_every_alert_has_a_series_that_fires_and_one_that_does_not(repository_root):
    shown = {one for path in series_files(repository_root) for one in proven(path.read_text())}
    assert shown == {(name, fires) for name in alerts() for fires in (True, False)}


def test_every_alert_says_what_to_do(repository_root):
    for name, alert in alerts().items():
        assert alert["labels"]["severity"] in {"page", "ticket"}, name
        page = alert["annotations"]["runbook_url"].rpartition("/")[2]
        assert (repository_root / "docs/runbooks" / page).is_file(), page
        assert alert["annotations"]["summary"], name


def test_every_page_belongs_to_an_alert(repository_root):
    pages = {path.name for path in (repository_root / "docs/runbooks").glob("*.md")} - {"README.md"}
    assert pages == {alert["annotations"]["runbook_url"].rpartition("/")[2] for alert in alerts().values()}


def test_each_objective_has_three_burn_rates_of_two_windows(repository_root):
    burning = [name for name in alerts() if "Burn" in name]
    objectives = {name.partition("Burn")[0] for name in burning}
    assert {f"{one}Burn{kind}" for one in objectives for kind in ("Fast", "Middling", "Slow")} == set(burning)
    for name in burning:
        assert len(re.findall(r"bad_ratio_\w+", alerts()[name]["expr"])) == 2, name


def test_every_metric_of_the_rules_is_exported():
    own = {rule["record"] for rule in rules() if "record" in rule}
    used = {metric for rule in rules() for metric in metrics_in(rule["expr"])}
    assert used - own - exported_metrics() == set()


def test_no_label_of_an_alert_is_a_person_or_a_call():
    for name, alert in alerts().items():
        assert not re.search(r"\bby \([^)]*(phone|caller|call_id|order)", alert["expr"]), name


@pytest.mark.tools
def test_promtool_accepts_the_rules_and_what_they_promise(tool, repository_root):
    promtool = tool("promtool", PROMTOOL)
    for words in (["check", "rules", *RULES], ["check", "config", "--syntax-only", prometheus_config(repository_root)]):
        done = subprocess.run([promtool, *words], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
    done = subprocess.run(
        [promtool, "test", "rules", *series_files(repository_root)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


def prometheus_config(repository_root):
    return repository_root / "deploy/compose/prometheus.yml"


@pytest.mark.tools
@pytest.mark.parametrize(
    ("right", "planted", "alert"),
    [
        ("data_age_seconds) > 60", "data_age_seconds) > 61", "RouterDataOld"),
        ("pbx_keeps_seconds) < 86400", "pbx_keeps_seconds) < 86399", "PbxKeepsBriefly"),
        ("pbx_keeps_seconds) < 86400", "pbx_keeps_seconds) <= 86400", "PbxKeepsBriefly"),
        ("min by (account) (fareline_ingest_pbx", "max by (account) (fareline_ingest_pbx", "PbxKeepsBriefly"),
    ],
)
def test_a_planted_limit_is_found_by_its_series(tool, repository_root, tmp_path, right, planted, alert):
    promtool = tool("promtool", PROMTOOL)
    assert right in RULES[0].read_text()
    (tmp_path / "alerts.yml").write_text(RULES[0].read_text().replace(right, planted))
    series = repository_root / "tests/deployment/rules/alerts.test.yml"
    text = re.sub(r"^  - .*alerts\.yml$", "  - alerts.yml", series.read_text(), flags=re.MULTILINE)
    (tmp_path / "alerts.test.yml").write_text(text)
    done = subprocess.run(
        [promtool, "test", "rules", tmp_path / "alerts.test.yml"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert alert in done.stdout + done.stderr
