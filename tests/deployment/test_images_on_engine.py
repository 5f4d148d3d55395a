"""The images on a real engine: what is in them, who they run as, that they start with nothing and stop when told."""

import json
import secrets

import httpx
import pytest

from fareline_devstack.waiting import wait_until

pytestmark = [pytest.mark.engine, pytest.mark.timeout(900)]

SERVICES = {"order-binder": 8081, "call-router": 8080, "recording-ingest": 8082}
LARGEST = {"order-binder": 240_000_000, "call-router": 240_000_000, "recording-ingest": 500_000_000}
HARDENED = ("--read-only", "--cap-drop=ALL", "--security-opt=no-new-privileges", "--tmpfs=/tmp:mode=1777,size=16m")
NOBODY_LISTENS = "127.0.0.1:1"
SHELL_FORM = "python -m {package} run; true"


@pytest.fixture(params=SERVICES)
def service(request):
    return request.param


@pytest.fixture
def inspected(engine, images, service):
    return json.loads(engine("image", "inspect", images[service]).stdout)[0]


@pytest.fixture
def container(engine, images, repository_root):
    """Return a function that starts a hardened container of a service with nothing behind it, and gives (id, URL)."""
    started = []

    def start(service, *options, command=()):
        name = f"fareline-test-{secrets.token_hex(4)}"
        demo = repository_root / "deploy/demo"
        environment = {
            "KAFKA_BOOTSTRAP": NOBODY_LISTENS,
            "DATABASE_URL": f"postgresql://nobody:nothing@{NOBODY_LISTENS}/none",
            "ORDER_BINDER_URL": f"http://{NOBODY_LISTENS}",
            "ORDER_BINDER_TOKEN": "fareline-demo-token",
            "FARELINE_DEMO": "1",
            "FARELINE_TOKENS_FILE": "/etc/fareline/tokens.json",
            "FARELINE_ACCOUNTS_FILE": "/etc/fareline/accounts.json",
            "FARELINE_PHONE_KEYS_FILE": "/etc/fareline/phone-keys.json",
            "ROUTER_FILL_WAIT_S": "1",
        }
        variables = [f"--env={key}={value}" for key, value in environment.items()]
        where = f"127.0.0.1::{SERVICES[service]}"
        volumes = ["--volume=/var/lib/fareline", f"--volume={demo}:/etc/fareline:ro"]
        started.append(name)
        engine(
            "run", "--detach", f"--name={name}", f"--publish={where}", *HARDENED, *volumes, *variables, *options,
            images[service], *command,
        )  # fmt: skip
        return name, f"http://{engine('port', name, str(SERVICES[service])).stdout.strip()}"

    yield start
    engine("rm", "--force", "--volumes", *started, check=False)


def alive(url):
    try:
        return httpx.get(f"{url}/health/live", trust_env=False, timeout=2).status_code == 200
    except httpx.HTTPError:
        return False


def wait_alive(engine, name, url):
    assert wait_until(lambda: alive(url), seconds=60), engine("logs", name).stdout


def test_the_image_says_who_it_is_and_is_not_root(inspected, service):
    config = inspected["Config"]
    uid, _, gid = config["User"].partition(":")
    assert int(uid) > 0
    assert int(gid) > 0
    assert config["Entrypoint"] == ["python", "-m", service.replace("-", "_")]
    assert config["Cmd"] == ["run"]
    assert config["Healthcheck"]["Test"][0] == "CMD"
    labels = {name.rpartition(".")[2]: text for name, text in config["Labels"].items()}
    assert labels["title"] == f"fareline {service}"
    assert labels["revision"] not in {"", "unknown"}
    assert labels["version"] not in {"", "0.0.0"}
    assert {"source", "licenses", "description"} <= labels.keys()


def test_the_image_is_small(inspected, service):
    assert inspected["Size"] < LARGEST[service]


def test_nothing_that_tests_or_installs_is_inside(engine, images, service):
    look = (
        "import importlib.util as u; print([n for n in ('pytest', 'hypothesis', 'pip', 'hatchling') if u.find_spec(n)])"
    )
    done = engine("run", "--rm", "--entrypoint=/opt/fareline/bin/python", images[service], "-c", look)
    assert done.stdout.strip() == "[]"


def test_it_starts_with_nothing_and_without_rights_and_ends_when_told(engine, container, service):
    name, url = container(service)
    wait_alive(engine, name, url)
    engine("stop", "--time=50", name)
    state = json.loads(engine("inspect", name).stdout)[0]
    assert state["State"]["ExitCode"] == 0, engine("logs", name).stderr
    assert state["HostConfig"]["ReadonlyRootfs"]
    assert state["HostConfig"]["CapDrop"] == ["ALL"]


def test_the_router_answers_its_probes_with_nothing_behind_it(engine, container):
    name, url = container("call-router")
    wait_alive(engine, name, url)
    for probe in ("startup", "ready", "live"):
        assert wait_until(
            lambda probe=probe: httpx.get(f"{url}/health/{probe}", trust_env=False).status_code == 200, seconds=30
        ), probe


def test_the_health_check_of_the_image_works(engine, container):
    name, _ = container("call-router")

    def health():
        return json.loads(engine("inspect", name).stdout)[0]["State"]["Health"]["Status"]

    assert wait_until(lambda: health() == "healthy", seconds=90), health()


def test_a_planted_shell_around_python_keeps_the_signal_from_it(engine, container):
    """What the exec form is for: process 1 is a shell, which hands on nothing."""
    words = SHELL_FORM.format(package="call_router")
    name, url = container("call-router", "--entrypoint=/bin/sh", command=("-c", words))
    wait_alive(engine, name, url)
    engine("stop", "--time=5", name)
    assert json.loads(engine("inspect", name).stdout)[0]["State"]["ExitCode"] == 137
