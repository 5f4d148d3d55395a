"""Explanations at the terminal, and the description of the HTTP interface."""

import json

import httpx
import pytest
from jsonschema_paths import every_reference
from router_server import settings
from typer.testing import CliRunner

from call_router.__main__ import cli
from call_router.app import Router
from call_router.domain.identity import call_id_of
from call_router.explain_cli import Asker, CannotExplain, id_of
from call_router.inbound.explaining import ExplainAnswer, ExplainQuestion
from fareline_contracts import pbx_generic

PAGE = {
    "call": {"call_id": "b6c2"},
    "decisions": [
        {
            "step": 1,
            "at": "2026-11-24T10:00:02Z",
            "question": "call.started",
            "deed": "dial",
            "reason": "pair",
            "source": "replica",
            "data_age_s": 0.8,
            "took_ms": 0.4,
            "order_id": "o-1",
            "also_order_ids": [],
            "revision": 7,
            "rules": [
                {"rule": "2", "outcome": "passed", "why": "no digits were typed"},
                {"rule": "3", "outcome": "fits", "why": "the caller is the driver of the order"},
            ],
        }
    ],
    "attempts": [
        {"step": 1, "at": "2026-11-24T10:00:02Z", "targets": ["+7***4567", None], "result": None},
    ],
}
RINGS = "ring_timeout_s=30 max_duration_s=1200"
NOBODY = (
    "{} could not be asked at http://127.0.0.1:1: no connection (ConnectError). "
    "See that it runs there, or say where it does by {}."
)
NOW = ExplainAnswer.model_config["json_schema_extra"]["examples"][0]


def answering(document, status=200, seen=None):
    def answer(request: httpx.Request) -> httpx.Response:
        if seen is not None:
            seen.append(request)
        return httpx.Response(status, json=document)

    return httpx.MockTransport(answer)


def test_a_call_that_nobody_made_is_told_rule_by_rule():
    seen = []
    asker = Asker("secret", answering(NOW, seen=seen))
    lines = list(asker.about_a_call_nobody_made("http://router", {"account": "a", "number": "1", "caller": ""}))
    assert lines == [
        "rule 1 (the number) goes on: a pool number of tenant demo",
        "rule 2 (digits typed) goes on: no digits were typed",
        "rule 3 (orders of the caller) decides: the caller is the driver of the order that was lent this number",
        "order o-1001: the caller is its driver, accepted, from 2026-11-24T10:00:00Z to 2026-11-26T10:00:00Z",
        f"pair: dial targets=+7***4567 caller_id=+7***0101 {RINGS} record=dual announce=callee:recording",
        "it rests on the router's own data, 0.8 s old, order o-1001 as of change 1764000000123456",
    ]
    assert seen[0].headers["authorization"] == "Bearer secret"
    assert json.loads(seen[0].content)["number"] == "1"


def test_a_past_call_is_told_from_what_was_kept():
    seen = []
    lines = list(Asker("secret", answering(PAGE, seen=seen)).about_a_call("http://log", "b6c2"))
    assert seen[0].url.path == "/v1/calls/b6c2"
    assert lines == [
        "2026-11-24T10:00:02Z  step 1: the call came in",
        "  rule 2 (digits typed) goes on: no digits were typed",
        "  rule 3 (orders of the caller) decides: the caller is the driver of the order",
        "  pair: dial",
        "  it rests on the router's own data, 0.8 s old, order o-1 as of change 7",
        "2026-11-24T10:00:02Z  rang +7***4567, ?: no result yet",
    ]


def test_a_pbxs_own_id_names_the_call():
    assert id_of("in_1", "demo-zadarma") == call_id_of("demo-zadarma", "in_1")
    assert id_of("b6c2", None) == "b6c2"


@pytest.mark.parametrize("body", [{"detail": "There is no such account."}, [], "no"])
def test_refusals_are_told_in_their_own_words(body):
    with pytest.raises(CannotExplain, match=r"404: (There is no such account\.|Not Found)"):
        list(Asker("t", answering(body, 404)).about_a_call("http://log", "x"))


def test_the_command_says_what_it_needs_and_whom_it_cannot_reach():
    runner = CliRunner()
    missing = runner.invoke(cli, ["explain", "--token", "t"])
    assert missing.exit_code == 2
    assert "--call" in missing.output
    away = runner.invoke(
        cli, ["explain", "+74950000101", "--account", "a", "--token", "t", "--url", "http://127.0.0.1:1"]
    )
    assert (away.exit_code, away.output.strip()) == (1, NOBODY.format("call-router", "--url or CALL_ROUTER_URL"))
    gone = runner.invoke(cli, ["explain", "--call", "x", "--token", "t", "--log-url", "http://127.0.0.1:1"])
    setting = "--log-url or RECORDING_INGEST_URL"
    assert (gone.exit_code, gone.output.strip()) == (1, NOBODY.format("recording-ingest", setting))


@pytest.mark.parametrize("url", ["router", "http://router:port", "ftp://router"])
def test_an_address_that_is_none_is_said_to_be_none(url):
    with pytest.raises(CannotExplain, match="that is no address such as http://"):
        list(Asker("t").about_a_call(url, "x"))


def test_somebody_else_at_the_address_and_silence_are_told_apart():
    def silent(request: httpx.Request) -> httpx.Response:
        raise httpx.ReadTimeout("", request=request)

    with pytest.raises(CannotExplain, match="no answer within 10 s"):
        list(Asker("t", httpx.MockTransport(silent)).about_a_call("http://log", "x"))
    page = httpx.MockTransport(lambda _: httpx.Response(200, text="<html>"))
    with pytest.raises(CannotExplain, match="something else answered"):
        list(Asker("t", page).about_a_call("http://log", "x"))


@pytest.fixture
async def document(tmp_path):
    router = Router(settings(tmp_path))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(router.asgi), base_url="http://router") as http:
        yield (await http.get("/openapi.json")).json()
    await router.stop()


async def test_the_description_has_every_way_in_with_examples_that_hold(document):
    assert set(document["paths"]) == {"/v1/route/explain", "/pbx/generic/{account}", "/pbx/zadarma/{account}"}
    known = set(document["components"]["schemas"])
    assert {ref.rsplit("/", 1)[1] for ref in every_reference(document)} <= known
    generic = document["paths"]["/pbx/generic/{account}"]["post"]
    for example in generic["requestBody"]["content"]["application/json"]["examples"].values():
        pbx_generic.REQUEST.validate_python(example["value"])
    answers = generic["responses"]["200"]["content"]["application/json"]["examples"]
    pbx_generic.Answer.model_validate(answers["question"]["value"])
    for model in (ExplainQuestion, ExplainAnswer):
        for example in document["components"]["schemas"][model.__name__]["examples"]:
            model.model_validate(example)
    explain = document["paths"]["/v1/route/explain"]["post"]
    assert set(explain["responses"]) == {"200", "400", "401", "403", "404"}
