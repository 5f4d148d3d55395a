"""A router whose Kafka and order-binder are not there: it says so, and answers."""

import pytest
from pbx_messages import generic_message
from router_server import RouterProcess, ask, environment, notify, started, talking_to, until


@pytest.fixture
def router(tmp_path):
    router = RouterProcess(tmp_path, environment(tmp_path / "data"))
    try:
        router.wait_until_listening()
        yield router
    finally:
        router.stop()


async def test_waits_says_so_and_answers_with_the_default_route(router):
    async with talking_to(router) as http:
        answer = await ask(http, generic_message("call.started"))
        assert (answer.status_code, answer.json()["reason"]) == (200, "unknown_number")
        assert answer.json()["actions"] == [{"do": "fallback", "target": "operator", "display": ""}]
        assert (await notify(http, "NOTIFY_START")).json() == {"redirect": "0-main"}
        assert (await ask(http, generic_message("call.progress", state="bridged"))).status_code == 200
        await started(router, http)

        async def waits_for_kafka() -> bool:
            component = (await http.get("/health/startup")).json()["components"]["replica"]
            return component["state"] == "waiting" and "kafka" in component["detail"]

        await until(waits_for_kafka)
        assert (await http.get("/health/live")).status_code == 200
    assert router.stop() == 0
    log = router.log.read_text()
    assert '"waiting_for":"kafka"' in log
    assert "9031112233" not in log


def test_unusable_settings_are_named_in_a_sentence(tmp_path):
    env = environment(tmp_path / "data", FARELINE_ACCOUNTS_FILE=str(tmp_path / "none.json"))
    router = RouterProcess(tmp_path, env)
    assert router.ended() == 2
    assert "call-router cannot start: " in router.log.read_text()
    assert "Traceback" not in router.log.read_text()
