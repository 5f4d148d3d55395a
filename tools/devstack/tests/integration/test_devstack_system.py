"""The whole system with stand-ins for the services: it starts, is described, outlives its starter and is ended."""

import json
import subprocess
import sys

import pytest

from fareline_devstack.errors import ProcessFailed
from fareline_devstack.layout import Layout
from fareline_devstack.services.process import STARTUP_PATH, healthy
from fareline_devstack.state import LeftRunning
from fareline_devstack.system import System

STAND_IN = """
import os, sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
class Anything(BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
    do_PUT = do_GET
print(sys.argv[1], "with", os.environ["DATABASE_URL"], flush=True)
if sys.argv[1] == "run":
    ThreadingHTTPServer(("127.0.0.1", int(os.environ["HTTP_PORT"])), Anything).serve_forever()
"""
STARTER = """
import json, sys
from pathlib import Path
from fareline_devstack.layout import Layout
from fareline_devstack.processes import Lifetime
from fareline_devstack.system import System
folder = Path(sys.argv[1])
info = System(Layout(demo=folder / "demo", state=folder / "state"), lifetime=Lifetime.DETACHED).start()
print(json.dumps(info.as_env()))
"""


@pytest.fixture
def layout(tmp_path, monkeypatch, own_kafka):
    """Lay out a demo folder, and packages that stand in for the three services (own_kafka only marks the test)."""
    for package in ("order_binder", "recording_ingest", "call_router"):
        (tmp_path / "packages" / package).mkdir(parents=True)
        (tmp_path / "packages" / package / "__init__.py").touch()
        (tmp_path / "packages" / package / "__main__.py").write_text(STAND_IN)
    (tmp_path / "demo").mkdir()
    tenant = {"tenant": "demo", "region": "RU", "policy": {}, "staff": [], "numbers": []}
    (tmp_path / "demo" / "tenants.json").write_text(json.dumps({"tenants": [tenant]}))
    monkeypatch.setenv("PYTHONPATH", str(tmp_path / "packages"))
    return Layout(demo=tmp_path / "demo", state=tmp_path / "state")


def test_everything_runs_inside_the_context_and_nothing_after_it(layout):
    steps = []
    system = System(layout, on_step=steps.append)
    with system as info:
        urls = [info.order_binder_url, info.call_router_url, info.recording_ingest_url]
        assert all(healthy(url, STARTUP_PATH) for url in urls)
        assert list(system.services) == ["order-binder", "recording-ingest", "call-router"]
        assert f"migrate with {info.database_url}" in (layout.logs / "order-binder.log").read_text()
    assert not any(healthy(url, STARTUP_PATH) for url in urls)
    assert "Creating topics" in steps
    assert steps[-1] == "Stopping postgres"
    assert not layout.state_file.exists()


def test_service_that_fails_takes_everything_down_and_is_named(layout):
    stand_in = layout.demo.parent / "packages" / "recording_ingest" / "__main__.py"
    stand_in.write_text("raise SystemExit('broken')")
    system = System(layout)
    with pytest.raises(ProcessFailed, match=r"(?s)recording-ingest migrate ended with exit code 1.*broken"):
        system.start()
    assert system.stack.kafka is None


def test_detached_system_outlives_its_starter_until_it_is_ended(layout, tmp_path):
    argv = [sys.executable, "-c", STARTER, str(tmp_path)]
    started = subprocess.run(argv, capture_output=True, text=True, check=True, timeout=250)
    info = json.loads(started.stdout)
    left = LeftRunning.read(layout.state_file)
    try:
        assert [process.name for process in left.processes] == [
            *("postgres", "kafka"),
            *("order-binder", "recording-ingest", "call-router"),
        ]
        assert all(process.running for process in left.processes)
        assert healthy(info["CALL_ROUTER_URL"], STARTUP_PATH)
    finally:
        left.stop_all(lambda step: None)
    assert not any(process.running for process in left.processes)
