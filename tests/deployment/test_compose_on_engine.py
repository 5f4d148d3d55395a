"""The whole system in containers: the demo's story, outages under load, a rolling replacement, and a clean end."""

import asyncio

import pytest
from deployment_load import Load, bound_order, order_is_known

from fareline_contracts.accounts import load_accounts
from fareline_contracts.orders import OrderStatus
from fareline_devstack.layout import DEMO_TOKEN
from fareline_devstack.story.play import chapters_of, play
from fareline_devstack.story.theatre import open_stage

pytestmark = [pytest.mark.engine, pytest.mark.timeout(900)]

TITLES = [step.title for chapter in chapters_of(None) for step in chapter.steps()]
CALLS_IN_AN_OUTAGE = 40
NOT_THE_ROUTER = ("order-binder", "recording-ingest", "postgres", "kafka")
ROUTER_PORT = "8080"


@pytest.fixture(scope="module")
def results(compose):
    house, _ = compose

    async def played():
        accounts = load_accounts(house.accounts_file, demo=True)
        async with open_stage(house.system, accounts, house.zadarma) as stage:
            return await play(chapters_of(stage))

    return {result.title: result for result in asyncio.run(played())}


@pytest.mark.parametrize("title", TITLES)
def test_the_story_goes_as_told_against_the_images(results, title):
    if title not in results:
        pytest.fail("not reached: an earlier step went otherwise", pytrace=False)
    if results[title].failure:
        pytest.fail(str(results[title].failure), pytrace=False)


def test_every_container_runs_without_rights_and_on_a_read_only_root(compose):
    _, system = compose
    for service in ("order-binder", "call-router", "recording-ingest"):
        state = system.state(service)
        assert state["HostConfig"]["ReadonlyRootfs"], service
        assert state["HostConfig"]["CapDrop"] == ["ALL"], service
        assert state["Config"]["User"] == "10001:10001", service


@pytest.mark.usefixtures("results")
async def test_the_router_answers_while_everything_else_is_killed_in_turn(compose):
    house, system = compose
    async with open_stage(house.system, load_accounts(house.accounts_file, demo=True), house.zadarma) as stage:
        order = await bound_order(stage, "o-outage")
        async with Load(stage, order) as load:
            for victim in NOT_THE_ROUTER:
                await asyncio.to_thread(system.engine, "kill", system.container(victim))
                if victim != "kafka":  # an order event that Kafka acknowledged is not lost, whoever is away
                    await stage.platform.publish(order.become(OrderStatus.ARRIVED))
                await load.answered_more(CALLS_IN_AN_OUTAGE)
                await asyncio.to_thread(system.revive, victim)
                await asyncio.to_thread(healthy_again, system)
                await stage.platform.publish(order.become(OrderStatus.ARRIVED))
                await order_is_known(stage, order)
            await load.answered_more(CALLS_IN_AN_OUTAGE)
        assert load.failures == []
        assert await load.missing_from_the_log() == set()


@pytest.mark.usefixtures("results")
async def test_a_killed_router_loses_no_answered_call(compose):
    house, system = compose
    async with open_stage(house.system, load_accounts(house.accounts_file, demo=True), house.zadarma) as stage:
        order = await bound_order(stage, "o-killed-router")
        async with Load(stage, order, may_fail=True) as load:
            await load.answered_more(CALLS_IN_AN_OUTAGE)
            await asyncio.to_thread(system.engine, "kill", system.container("call-router"))
            await asyncio.to_thread(system.revive, "call-router")
            await asyncio.to_thread(system.wait_ready, "call-router")
            await load.answered_more(CALLS_IN_AN_OUTAGE)
        assert load.failures, "the kill was not felt, so nothing is proven"
        assert await load.missing_from_the_log() == set()


@pytest.mark.usefixtures("results")
async def test_a_router_that_is_replaced_while_kafka_is_away_keeps_what_it_had_to_tell(compose):
    """Not restarted: its container is removed, and a new one finds the volume, as a StatefulSet's pod does."""
    house, system = compose
    async with open_stage(house.system, load_accounts(house.accounts_file, demo=True), house.zadarma) as stage:
        order = await bound_order(stage, "o-replaced-router")
        async with Load(stage, order, may_fail=True) as load:
            await asyncio.to_thread(system.engine, "kill", system.container("kafka"))
            await load.answered_more(CALLS_IN_AN_OUTAGE)
            before = system.container("call-router")
            words = ("up", "--detach", "--no-deps", "--force-recreate", "--timeout", "60", "call-router")
            await asyncio.to_thread(system.run, *words, seconds=180)
            await asyncio.to_thread(system.wait_ready, "call-router")
            assert system.container("call-router") != before
            await load.answered_more(CALLS_IN_AN_OUTAGE)
        await asyncio.to_thread(system.revive, "kafka")
        await asyncio.to_thread(healthy_again, system)
        assert await load.missing_from_the_log() == set()


@pytest.mark.usefixtures("results")
async def test_a_rolling_replacement_of_the_router_drops_no_call(compose, second_router):
    """As Kubernetes does it: a new one is ready, the old one gets no new calls any more, then it is told to end."""
    house, system = compose
    async with open_stage(house.system, load_accounts(house.accounts_file, demo=True), house.zadarma) as stage:
        order = await bound_order(stage, "o-rolling")
        old = [house.system.call_router_url]
        async with Load(stage, order, routers=old) as load:
            await load.answered_more(CALLS_IN_AN_OUTAGE)
            name, url = await asyncio.to_thread(second_router)
            old[:] = [
                url
            ]  # endpoints change at once, as they do not in a cluster: hence the sleep before SIGTERM there
            await load.answered_more(CALLS_IN_AN_OUTAGE)
            await asyncio.to_thread(system.run, "stop", "call-router")
            await load.answered_more(CALLS_IN_AN_OUTAGE)
            assert system.state("call-router")["State"]["ExitCode"] == 0
            await asyncio.to_thread(system.run, "start", "call-router")
            await asyncio.to_thread(system.wait_ready, "call-router")
            old[:] = [house.system.call_router_url]
            await asyncio.to_thread(system.engine, "stop", "--time=60", name)
            await load.answered_more(CALLS_IN_AN_OUTAGE)
        assert load.failures == []
        assert await load.missing_from_the_log() == set()


@pytest.fixture
def second_router(compose, images):
    """Return a function that starts another router beside the first, ready, and gives (container, URL)."""
    house, system = compose
    name = f"{system.project}-second-router"
    demo = system.root / "deploy/demo/tokens.json"

    def start():
        variables = {
            "KAFKA_BOOTSTRAP": "kafka:9092",
            "ORDER_BINDER_URL": "http://order-binder:8081",
            "ORDER_BINDER_TOKEN": DEMO_TOKEN,
            "FARELINE_DEMO": "1",
            "FARELINE_TOKENS_FILE": "/etc/fareline/tokens.json",
            "FARELINE_ACCOUNTS_FILE": "/etc/fareline/accounts.json",
            "ROUTER_NODE": "router-2",
        }
        system.engine(
            "run", "--detach", f"--name={name}", f"--network={system.project}_fareline", "--read-only",
            "--cap-drop=ALL", "--tmpfs=/tmp", f"--publish=127.0.0.1::{ROUTER_PORT}", "--volume=/var/lib/fareline",
            f"--volume={demo}:/etc/fareline/tokens.json:ro",
            f"--volume={house.accounts_file}:/etc/fareline/accounts.json:ro",
            *(f"--env={key}={value}" for key, value in variables.items()),
            images["call-router"],
        )  # fmt: skip
        where = system.engine("port", name, ROUTER_PORT).strip()
        system.ports[name] = int(where.rpartition(":")[2])
        system.wait_ready(name)
        return name, system.url(name)

    yield start
    system.engine("rm", "--force", "--volumes", name)


@pytest.fixture(autouse=True)
def everything_runs_again(request):
    yield
    if "compose" in request.fixturenames:  # a test that failed half-way must not take the next ones along
        system = request.getfixturevalue("compose")[1]
        for service in ("kafka", "postgres", "order-binder", "recording-ingest", "call-router"):
            system.revive(service)


def healthy_again(system):
    for service in ("order-binder", "recording-ingest"):
        system.wait_ready(service, 120)


def test_it_ends_without_leaving_anything(images, engine, monkeypatch, repository_root, tmp_path):
    from fareline_devstack.compose import ComposeSystem

    monkeypatch.setenv("FARELINE_VERSION", images["call-router"].rpartition(":")[2])
    project = "fareline-test-clean"
    with ComposeSystem(repository_root, project):
        assert engine("ps", "--quiet", f"--filter=label=com.docker.compose.project={project}").stdout
    for what in (("ps", "--all"), ("volume", "ls"), ("network", "ls")):
        left = engine(*what, "--quiet", f"--filter=label=com.docker.compose.project={project}").stdout
        assert left == "", what
