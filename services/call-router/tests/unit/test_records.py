"""What is read and written with msgspec agrees with the contracts' models."""

import json
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given
from router_world import ACCOUNT, C1, D1, POOL, T0, World, binding, in_grace

from call_router.domain.actions import Hangup, Play
from call_router.domain.calls import Question, QuestionKind
from call_router.domain.identity import event_id_of
from call_router.domain.reports import Ended, Progress, RecordingReady
from call_router.ports import Answered, CallMemory, Wanted
from call_router.records.bindings import Unreadable, read_binding, read_heartbeat
from call_router.records.events import CallEvents
from call_router.records.inventory import read_number, read_tenant
from call_router.records.lookup import lookup_body, read_found
from fareline_contracts import bindings, calls, lookup, tenants
from fareline_contracts.cloudevents import readable_headers
from fareline_contracts.topics import CALLS

EXAMPLES = Path(__file__).parents[4] / "libs" / "contracts" / "examples"
EVENTS = CallEvents("/fareline/call-router/router-1")
TRACE = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"


def examples(kind: str) -> list[bytes]:
    found = [path.read_bytes() for path in sorted((EXAMPLES / kind).iterdir())]
    assert found
    return found


def test_binding_examples():
    for value in examples("fareline.binding.v1"):
        read, model = read_binding(value, TRACE).binding, bindings.BindingRecord.model_validate_json(value)
        assert (read.tenant, read.order_id, read.revision) == (model.tenant, model.order_id, model.revision)
        assert (read.order_status, read.status_changed_at) == (model.order_status, model.status_changed_at)
        assert (read.driver.phones, read.client.code) == (model.parties.driver.phones, model.parties.client.code)
        assert read.from_driver.closes_at == model.directions.driver_to_client.closes_at
        assert (read.call.record, read.call.announce_client) == (
            model.call_policy.record,
            model.call_policy.announce.client,
        )
        assert read.trace == TRACE


def test_defaults_of_the_contract_are_ours():
    for value in examples("fareline.binding.v1"):
        bare = json.loads(value)
        for part in ("announce", "ring_timeout_s", "max_duration_s"):
            bare["call_policy"].pop(part, None)
        for direction in bare["directions"].values():
            direction.pop("allowed", None)
        model = bindings.BindingRecord.model_validate(bare)
        call = read_binding(json.dumps(bare).encode()).binding.call
        assert (call.ring_timeout_s, call.max_duration_s) == (
            model.call_policy.ring_timeout_s,
            model.call_policy.max_duration_s,
        )
    read = read_tenant(examples("fareline.tenant.v1")[0].replace(b'"policy":{}', b'"policy":{}')).policy
    assert read == read_tenant(tenants.TenantRecord(tenant="demo", revision=1, region="RU").to_json()).policy


def test_default_policy_is_the_routing_rules():
    from call_router.domain.policy import Policy

    assert read_tenant(tenants.TenantRecord(tenant="demo", revision=1, region="RU").to_json()).policy == Policy()


def test_number_tenant_and_heartbeat_examples():
    roles = [read_number(value).role for value in examples("fareline.number.v1")]
    assert roles == ["pool", "other"]
    read = [read_tenant(value) for value in examples("fareline.tenant.v1")]
    assert {tenant.name for tenant in read} == {"demo", "solo"}
    assert any("101" in tenant.staff for tenant in read)
    for value in examples("fareline.heartbeat.v1"):
        assert read_heartbeat(value).input_as_of == bindings.Heartbeat.model_validate_json(value).input_as_of


@pytest.mark.parametrize("value", [b"", b"{}", b"null", b"\xff", b'{"tenant":1}', b"[" * 5000])
def test_what_is_no_record_is_unreadable(value):
    for read in (read_binding, read_heartbeat, read_number, read_tenant, read_found):
        with pytest.raises(Unreadable):
            read(value)


def answered(decision, kind=QuestionKind.STARTED) -> Answered:
    question = Question(kind, ACCOUNT, "c-1", D1, POOL, T0)
    return Answered("5f0c7b62-7a0e-5d2e-9a52-7f0000000001", question, decision, T0, timedelta(milliseconds=2))


def parsed(event):
    model = CALLS.records[readable_headers(event.headers)["ce_type"]]
    assert model.model_validate_json(event.value, strict=False)
    return model.model_validate_json(event.value)


def assert_says_the_same(event):
    """Nothing is lost or added when the contract's model reads the event."""
    mine = json.loads(event.value)
    theirs = json.loads(parsed(event).to_json())

    def agree(left, right, path):
        if isinstance(left, dict):
            assert set(left) <= set(right), path
            for key, value in left.items():
                agree(value, right[key], f"{path}/{key}")
        else:
            assert left == right, path

    agree(mine, theirs, "")


def test_routed_events_are_those_of_the_contract():
    world = World()
    world.put(binding(), in_grace("o-2", client=C1, codes=("700002", "700003")))
    calls_made = [
        world.call(D1, POOL),
        world.call("", POOL),
        world.call("+74950000102", POOL),
        world.types(D1, POOL, "112"),
        world.types("", POOL, "1"),
        world.call(D1, "nonsense"),
    ]
    for decision in calls_made:
        event = EVENTS.routed(answered(decision), account="demo-generic", trace=TRACE)
        assert_says_the_same(event)
        assert parsed(event).decision.reason == decision.reason
        assert parsed(event).decision.rules


def test_routed_event_in_detail():
    world = World()
    world.put(binding(revision=7))
    event = EVENTS.routed(answered(world.call(D1, POOL)), account="demo-generic", trace=TRACE)
    routed = parsed(event)
    assert isinstance(routed, calls.CallRouted)
    assert (routed.step, routed.question, routed.caller, routed.number) == (1, "call.started", D1, POOL)
    decision = routed.decision
    assert (decision.order_id, decision.direction, decision.recorded) == ("o-1", "driver_to_client", True)
    assert decision.actions[0].announce.callee == "recording"
    headers = readable_headers(event.headers)
    assert (event.topic, event.key) == ("fareline.calls.v1", routed.call_id.encode())
    assert headers["traceparent"] == TRACE
    assert headers["ce_id"] == event_id_of(routed.call_id, "step:1")
    assert headers["ce_subject"] == routed.call_id


@pytest.mark.parametrize(
    "report",
    [
        Progress("c-1", T0, "bridged", "202"),
        RecordingReady("c-1", T0, "r-1", 2, 2, "https://pbx/r"),
        Ended("c-1", T0, "answered", 16, "caller", T0, T0, T0, T0, T0, timedelta(seconds=1.5), True, True, "202", "ok"),
        Ended("c-1", T0, "other"),
    ],
)
def test_reported_events_are_those_of_the_contract(report):
    call = CallMemory("5f0c7b62-7a0e-5d2e-9a52-7f0000000001")
    event = EVENTS.reported(report, call, account="demo-generic", received_at=T0)
    assert_says_the_same(event)
    assert readable_headers(event.headers)["ce_id"] == event_id_of(call.call_id, report.step)
    assert "traceparent" not in readable_headers(event.headers)


def test_reports_carry_tenant_and_trace_of_the_call():
    world = World()
    world.put(binding(trace=TRACE))
    call = CallMemory("5f0c7b62-7a0e-5d2e-9a52-7f0000000001")
    call.answers[1] = answered(world.call(D1, POOL))
    event = EVENTS.reported(Progress("c-1", T0, "bridged"), call, account="demo-generic", received_at=T0)
    assert parsed(event).tenant == "demo"
    assert readable_headers(event.headers)["traceparent"] == TRACE


def test_decisions_without_an_order():
    from call_router.domain.decisions import Decision, Reason

    bare = Decision(Reason.UNANSWERED, (Play("client_unavailable"), Hangup()), rules=())
    assert_says_the_same(EVENTS.routed(answered(bare), account="a", trace=None))


def test_lookup_is_that_of_the_contract():
    wanted = Wanted(("demo",), POOL, None, "482913")
    asked = lookup.LookupRequest.model_validate_json(lookup_body(wanted))
    assert (asked.number, asked.phone, asked.code) == (POOL, None, "482913")
    record = bindings.BindingRecord.model_validate_json(examples("fareline.binding.v1")[0])
    tenant = tenants.TenantRecord(tenant="demo", revision=3, region="RU")
    answer = lookup.LookupAnswer(bindings=(record,), as_of=T0, input_as_of=T0, tenant=tenant)
    found = read_found(answer.to_json())
    assert (found.bindings[0].order_id, found.number, found.tenant.revision) == (record.order_id, None, 3)


@given(...)
def test_any_value_is_read_or_unreadable(value: bytes):
    for read in (read_binding, read_heartbeat, read_number, read_tenant, read_found):
        try:
            read(value)
        except Unreadable:
            pass
