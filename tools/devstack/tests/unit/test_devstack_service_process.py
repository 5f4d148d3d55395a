"""A service's process: awaited by its health endpoint, explained when it does not come up, mistreated on demand."""

import sys

import pytest

from fareline_devstack.errors import ProcessFailed
from fareline_devstack.ports import free_port
from fareline_devstack.services.process import STARTUP_PATH, ServiceProcess, healthy, run_to_end

SERVER = """
import os, sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
class Health(BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(int(os.environ["ANSWER"]))
        self.end_headers()
ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Health).serve_forever()
"""


@pytest.fixture
def service(tmp_path):
    made = []

    def make(*, answer="200", code=SERVER):
        port = free_port()
        process = ServiceProcess(
            name="svc",
            argv=[sys.executable, "-c", code, str(port)],
            env={"ANSWER": answer},
            log_file=tmp_path / "svc.log",
            url=f"http://127.0.0.1:{port}",
        )
        made.append(process)
        return process

    yield make
    for process in made:
        process.stop()


def test_started_means_healthy_and_stopped_means_gone(service):
    process = service()
    process.start()
    process.wait_started()
    assert healthy(process.url, STARTUP_PATH)
    process.stop()
    assert not process.running
    assert not healthy(process.url, STARTUP_PATH)


def test_it_can_be_killed_and_started_again(service):
    process = service()
    process.start()
    process.wait_started()
    process.kill()
    assert not process.running
    process.start()
    process.wait_started()


def test_frozen_it_answers_nothing_until_it_is_resumed(service, monkeypatch):
    monkeypatch.setattr("fareline_devstack.services.process.PROBE_SECONDS", 0.3)
    process = service()
    process.start()
    process.wait_started()
    process.freeze()
    assert not healthy(process.url, STARTUP_PATH)
    process.resume()
    process.wait_started()


def test_early_end_names_the_log(service):
    process = service(code="raise SystemExit('no database')")
    process.start()
    with pytest.raises(ProcessFailed, match=r"(?s)svc ended with exit code 1; see .*svc\.log\n    no database"):
        process.wait_started()


def test_never_healthy_names_the_log(service):
    process = service(answer="503")
    process.start()
    with pytest.raises(ProcessFailed, match=r"svc did not come up in 0 s; see .*svc\.log"):
        process.wait_started(seconds=0.3)


def test_what_was_never_started_cannot_be_hurt(service):
    assert service().stop() is None
    with pytest.raises(ProcessFailed, match="svc was not started"):
        service().kill()


def test_command_that_fails_is_quoted(tmp_path):
    argv = [sys.executable, "-c", "raise SystemExit('lock timeout')"]
    with pytest.raises(ProcessFailed, match=r"(?s)svc migrate ended with exit code 1.*lock timeout"):
        run_to_end(name="svc migrate", argv=argv, env={}, log_file=tmp_path / "logs" / "svc.log")
