"""Demo tenants go through order-binder's own interface."""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from fareline_devstack.demo_data import load_demo
from fareline_devstack.errors import DevstackError


class Binder(BaseHTTPRequestHandler):
    """Keeps what was put, refuses the numbers of `server.refused`."""

    def do_PUT(self):
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.put.append((self.path, self.headers["Authorization"], body))
        refused = any(part in self.path for part in self.server.refused)
        self.send_response(409 if refused else 200)
        self.end_headers()
        if refused:
            self.wfile.write(b'{"title": "in use"}')

    def log_message(self, *_):
        pass


@pytest.fixture
def binder():
    with ThreadingHTTPServer(("127.0.0.1", 0), Binder) as server:
        server.put, server.refused = [], []
        server.url = f"http://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture
def folder(tmp_path):
    tenant = {
        "tenant": "demo",
        "region": "RU",
        "policy": {"numbering": "pool"},
        "staff": [],
        "numbers": [{"e164": "+74950000001", "role": "main"}],
    }
    (tmp_path / "tenants.json").write_text(json.dumps({"tenants": [tenant]}))
    return tmp_path


def test_tenant_first_then_its_numbers(binder, folder):
    assert load_demo(binder.url, "secret", folder) == ["demo"]
    tenant = {"region": "RU", "policy": {"numbering": "pool"}, "staff": []}
    assert binder.put == [
        ("/v1/tenants/demo", "Bearer secret", tenant),
        ("/v1/tenants/demo/numbers/%2B74950000001", "Bearer secret", {"role": "main"}),
    ]


def test_refusal_is_told_in_order_binders_words(binder, folder):
    binder.refused = ["/numbers/"]
    with pytest.raises(DevstackError, match=r"refused PUT .*numbers/.* with 409: .*in use"):
        load_demo(binder.url, "secret", folder)


def test_silence_is_told_too(folder):
    with pytest.raises(DevstackError, match="did not answer PUT /v1/tenants/demo"):
        load_demo("http://127.0.0.1:1", "secret", folder)
