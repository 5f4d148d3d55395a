"""What is known of calls by the call topic alone: others' answers, and one's own before a restart."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from router_use import Desk
from router_world import ACCOUNT, C1, D1, D1_OTHER, POOL, STRANGER, T0, World, binding, minutes

from call_router.domain.actions import Ask, Dial, Fallback, Hangup, Play, Reject
from call_router.domain.bindings import Link, Role
from call_router.domain.calls import DialResult, Outcome, QuestionKind
from call_router.domain.identity import call_id_of
from call_router.domain.reports import Ended, Progress
from call_router.domain.values import replace
from call_router.ports import Restarted
from call_router.records.actions import action_json, action_of
from call_router.records.bindings import Unreadable
from call_router.records.events import CallEvents
from call_router.records.past import read_past
from call_router.usecases.recall import Recall


class Router:
    """One router of several: what it writes down, the others recall."""

    def __init__(self, world) -> None:
        self.desk = Desk(world)
        self.recall = Recall(world.store, lambda: world.store.view)

    def hears(self, other: "Router") -> None:
        events = CallEvents("/test")
        told = [events.routed(one, account=ACCOUNT.name, trace=None) for one in other.desk.journal.answers]
        told += [
            events.reported(one, other.call(one.pbx_call_id), account=ACCOUNT.name, received_at=other.desk.world.now)
            for one in other.desk.journal.reports
        ]
        for event in told:
            kind = dict(event.headers)["ce_type"].decode()
            past = read_past(kind, event.value)
            if past is not None:
                self.recall(past)

    def call(self, pbx_call_id: str):
        return self.desk.world.store.calls.of(call_id_of(ACCOUNT.name, pbx_call_id))

    async def asks(self, caller=D1, call="c-1", kind=QuestionKind.STARTED, restarted=False, **more):
        question = self.desk.world.question(kind, caller, POOL, **more)
        question = replace(question, pbx_call_id=call)
        return await self.desk.answer(Restarted(question) if restarted else question, self.desk.pbx)


@pytest.fixture
def routers():
    both = Router(World()), Router(World())
    for one in both:
        one.desk.world.put(binding(driver=(D1, D1_OTHER), announce_client=None))
    return both


def later(routers, seconds):
    for one in routers:
        one.desk.world.now += timedelta(seconds=seconds)


async def test_a_dial_that_comes_back_to_another_router_is_unanswered_not_dialled_again(routers):
    here, there = routers
    assert isinstance((await here.asks(restarted=True)).decision.actions[-1], Dial)
    there.hears(here)
    later(routers, 29)
    back = await there.asks(restarted=True)
    assert (back.decision.reason, back.question.so_far.step) == ("unanswered", 2)
    assert back.decision.actions == (Play("client_unavailable"), Hangup())


async def test_the_same_question_at_another_router_gets_the_same_answer(routers):
    here, there = routers
    first = await here.asks(restarted=True)
    there.hears(here)
    again = await there.asks(restarted=True)
    assert again.decision.actions == first.decision.actions
    assert again.decision_id == first.decision_id


async def test_what_comes_back_from_the_fallback_elsewhere_is_hung_up(routers):
    here, there = routers
    here.desk.world.account = there.desk.world.account = ACCOUNT
    await here.asks(STRANGER, kind=QuestionKind.DIGITS, digits="", context="1.0.0.unknown_caller.-")
    there.hears(here)
    later(routers, 6)
    back = await there.asks(STRANGER, restarted=True)
    assert (back.decision.reason, back.decision.actions) == ("fallback_returned", (Hangup(),))


async def test_attempts_limits_and_phones_are_known_everywhere_and_counted_once(routers):
    here, there = routers
    await here.asks(D1_OTHER)
    there.hears(here)
    there.hears(here)
    here.hears(here)
    for one in routers:
        recent = one.desk.world.store.recent
        assert len(recent) == 1
        assert recent.dials("demo", "o-1", D1_OTHER, T0) == 1
        assert recent.last_phone("demo", "o-1", Role.DRIVER) == D1_OTHER
    mine, theirs = (one.desk.world.store.recent.dialled_ones()[0] for one in routers)
    assert (mine.call_id, mine.step) == (theirs.call_id, theirs.step)
    assert mine.attempt == theirs.attempt


@pytest.mark.parametrize("ids", [("d-1", "c-1"), (None, None)])
async def test_persons_are_the_same_with_and_without_ids(routers, ids):
    here, there = routers
    for one in routers:
        one.desk.world.put(binding(driver_id=ids[0], client_id=ids[1]))
    await here.asks(D1)
    there.hears(here)
    link = Link(there.desk.world.store.bindings.get("demo", "o-1"), Role.DRIVER)
    attempt = there.desk.world.store.recent.latest_attempt(
        "demo", link.binding.person(Role.DRIVER), link.binding.person(Role.CLIENT)
    )
    assert attempt is not None
    assert attempt.caller == D1


async def test_reports_reach_the_attempts_of_others(routers):
    here, there = routers
    await here.asks(D1)
    await here.desk.record(Progress("c-1", here.desk.world.now, "bridged"), account=ACCOUNT.name)
    ended_at = here.desk.world.now + minutes(1)
    await here.desk.record(Ended("c-1", ended_at, "answered", ended_at=ended_at), account=ACCOUNT.name)
    there.hears(here)
    attempt = there.desk.world.store.recent.attempt_of(there.call("c-1").call_id)
    assert (attempt.outcome, attempt.ended_at) == (Outcome.ANSWERED, ended_at)
    assert there.call("c-1").bridged
    assert there.call("c-1").tenant == "demo"


async def test_an_unanswered_dial_is_known_without_a_report(routers):
    here, there = routers
    first = await here.asks(D1)
    context = first.decision.actions[-1].context
    await here.asks(D1, kind=QuestionKind.DIALED, result=DialResult.NO_ANSWER, context=context)
    there.hears(here)
    attempt = there.desk.world.store.recent.attempt_of(there.call("c-1").call_id)
    assert attempt.outcome is Outcome.UNANSWERED


async def test_wrong_codes_count_everywhere_once(routers):
    here, there = routers
    for caller, call in ((STRANGER, "c-1"), ("", "c-2"), (D1, "c-3")):
        asked = "1.0.0.unknown_caller.-"
        await here.asks(caller, call, QuestionKind.DIGITS, digits="999999", context=asked)
    there.hears(here)
    there.hears(here)
    recent = there.desk.world.store.recent
    assert recent.wrong_codes_of("demo", STRANGER, T0) == 1
    assert recent.wrong_codes_of("demo", D1, T0) == 1
    assert recent.wrong_codes_at(POOL, T0) == 2


async def test_what_staff_dials_is_nobodys_attempt(routers):
    here, there = routers
    await here.asks("101", kind=QuestionKind.DIGITS, digits="482913", context="1.0.0.staff.-")
    assert here.desk.journal.answers[0].decision.reason == "staff"
    there.hears(here)
    assert len(there.desk.world.store.recent) == 0


@pytest.mark.parametrize(
    "action",
    [
        Play("greeting"),
        Dial((C1,), POOL, 30, 1200, "dual", None, "recording", "1.1.0.pair.d"),
        Ask("extension", 6, 7, "1.0.0.ambiguous.-"),
        Fallback("operator", "o-1 driver"),
        Reject(),
        Hangup(),
    ],
)
def test_actions_are_read_as_they_are_written(action):
    assert action_of(action_json(action)) == action


def test_an_action_of_a_later_version_is_passed_over():
    assert action_of({"do": "sing"}) is None


@given(st.sampled_from(["fareline.call.routed.v1", "fareline.call.ended.v1", "x"]), st.binary(max_size=200))
def test_any_value_is_read_or_refused(kind, value):
    try:
        assert kind == "x" or read_past(kind, value) is not None
    except Unreadable:
        pass
