"""Dashboards show what the services export, and compose shows the same files."""

import json

import pytest
import yaml
from deployment_manifests import K8S, Manifests
from deployment_metrics import exported_metrics, metrics_in

FOLDER = K8S / "components/monitoring/dashboards"
BOARDS = sorted(FOLDER.glob("*.json"))


def expressions(board):
    return [target["expr"] for panel in board["panels"] for target in panel.get("targets", [])]


def unknown(board):
    return {metric for text in expressions(board) for metric in metrics_in(text)} - exported_metrics()


@pytest.mark.parametrize("path", BOARDS, ids=lambda path: path.stem)
def test_every_metric_of_a_dashboard_is_exported(path):
    board = json.loads(path.read_text())
    assert len(expressions(board)) > 5
    assert unknown(board) == set()


def test_a_planted_metric_that_nobody_exports_is_found():
    board = json.loads(BOARDS[0].read_text())
    board["panels"].append({"targets": [{"expr": 'sum(rate(fareline_router_answres_total{a="b"}[5m]))'}]})
    assert unknown(board) == {"fareline_router_answres_total"}


def unseen(boards):
    """Return what recording-ingest exports and none of `boards` shows."""
    shown = {metric for board in boards for text in expressions(board) for metric in metrics_in(text)}
    of_histograms = {
        f"{name.removesuffix('_bucket')}{rest}" for name in shown for rest in ("_bucket", "_sum", "_count")
    }
    return {name for name in exported_metrics() if name.startswith("fareline_ingest_")} - shown - of_histograms


def test_whatever_recording_ingest_tells_is_shown():
    boards = [json.loads(path.read_text()) for path in BOARDS]
    assert unseen(boards) == set()
    for board in boards:
        board["panels"] = [one for one in board["panels"] if "PBX of bounded space" not in one["title"]]
    assert unseen(boards) == {"fareline_ingest_pbx_keeps_seconds"}


def test_panels_of_a_dashboard_have_a_place_and_an_id_of_their_own():
    for path in BOARDS:
        panels = json.loads(path.read_text())["panels"]
        assert len({panel["id"] for panel in panels}) == len(panels), path
        taken = [(x, y) for one in panels for x in range(one["gridPos"]["x"], one["gridPos"]["x"] + one["gridPos"]["w"])
                 for y in range(one["gridPos"]["y"], one["gridPos"]["y"] + one["gridPos"]["h"])]  # fmt: skip
        assert len(set(taken)) == len(taken), path


def test_what_is_exported_is_really_found():
    """The reader of the source must see each way in which the services make metrics."""
    seen = exported_metrics()
    for name in (
        "fareline_router_answers_total",
        "fareline_router_answer_seconds_bucket",
        "fareline_router_data_age_seconds",
        "fareline_binder_order_events_total",
        "fareline_binder_input_lag_records",
        "fareline_ingest_backlog",
        "fareline_ingest_downloads_total",
    ):
        assert name in seen


def test_dashboards_choose_their_data_source_and_are_the_ones_deployed():
    for path in BOARDS:
        board = json.loads(path.read_text())
        assert [one["type"] for one in board["templating"]["list"]] == ["datasource"]
        assert {panel["datasource"]["uid"] for panel in board["panels"] if "targets" in panel} == {"${datasource}"}
    deployed = Manifests.of("prod").one("ConfigMap", "fareline-dashboards")
    assert deployed["metadata"]["labels"]["grafana_dashboard"] == "1"
    assert deployed["data"].keys() == {path.name for path in BOARDS}


def test_compose_shows_the_same_files(repository_root):
    services = yaml.safe_load((repository_root / "docker-compose.yml").read_text())["services"]
    sources = {
        volume["source"]
        for volume in services["grafana"]["volumes"] + services["prometheus"]["volumes"]
        if isinstance(volume, dict)
    }
    assert "./deploy/k8s/components/monitoring/dashboards" in sources
    for source in sources:
        assert (repository_root / source).exists(), source
