import asyncio
from datetime import timedelta

import pytest
from router_use import Desk
from router_world import C1, C2, D1, D1_OTHER, DRIVERS_CODE, MAIN, POOL, POOL2, STRANGER, binding, last, minutes

from call_router.domain.actions import Ask, Dial, Fallback, Hangup, Play
from call_router.domain.calls import DialResult, Outcome, QuestionKind
from call_router.domain.decisions import Source
from call_router.domain.identity import call_id_of, event_id_of
from call_router.domain.inventory import NumberRole, ProxyNumber
from call_router.domain.reports import Ended, Progress
from call_router.domain.values import replace
from call_router.ports import Found, JournalRefused, Played, Restarted


@pytest.fixture
def desk() -> Desk:
    desk = Desk()
    desk.world.put(binding(trace="00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"))
    return desk


def started(desk, caller, number=POOL, call="c-1"):
    return replace(desk.world.question(QuestionKind.STARTED, caller, number), pbx_call_id=call)


def follows(desk, answered, kind, **more):
    context = last(answered.decision).context
    return replace(answered.question, kind=kind, at=desk.world.now, context=context, **more)


async def test_an_answer_is_written_down_with_the_orders_trace(desk):
    answered = await desk.answer(started(desk, D1), desk.pbx)
    assert last(answered.decision).targets == (C1,)
    assert desk.journal.answers == [answered]
    assert desk.journal.traces == ["00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"]
    assert answered.decision_id == f"{call_id_of('demo-generic', 'c-1')}-1"
    assert (answered.decision.source, answered.decision.age) == (Source.REPLICA, timedelta(seconds=1))


async def test_the_same_question_gets_the_same_answer_whatever_has_changed(desk):
    first = await desk.answer(started(desk, D1), desk.pbx)
    desk.world.put(binding(client=C2))
    again = await desk.answer(started(desk, D1), desk.pbx)
    assert (again.decision, again.repeated) == (first.decision, True)
    assert len(desk.journal.answers) == 1
    other = await desk.answer(started(desk, D1, call="c-2"), desk.pbx)
    assert last(other.decision).targets == (C2,)


async def test_the_same_question_asked_at_once_is_decided_once(desk):
    answers = await asyncio.gather(*(desk.answer(started(desk, STRANGER), desk.pbx) for _ in range(5)))
    assert len({answered.decision_id for answered in answers}) == 1
    assert [answered.repeated for answered in answers].count(False) == 1
    assert (len(desk.journal.answers), len(desk.binder.asked)) == (1, 1)


async def test_a_call_goes_on_step_by_step(desk):
    asked = await desk.answer(started(desk, D1_OTHER), desk.pbx)
    assert isinstance(last(asked.decision), Ask)
    wrong = await desk.answer(follows(desk, asked, QuestionKind.DIGITS, digits="000000"), desk.pbx)
    assert (wrong.decision.reason, wrong.question.so_far.step) == ("wrong_code", 2)
    right = await desk.answer(follows(desk, wrong, QuestionKind.DIGITS, digits=DRIVERS_CODE), desk.pbx)
    assert (last(right.decision).targets, right.question.so_far.step) == ((C1,), 3)
    gone = follows(desk, right, QuestionKind.DIALED, digits="", result=DialResult.NO_ANSWER, ring=timedelta(seconds=30))
    told = await desk.answer(gone, desk.pbx)
    assert told.decision.actions == (Play("client_unavailable"), Hangup())
    assert (told.decision.link.binding.order_id, told.decision.direction) == ("o-1", "driver_to_client")
    assert [answered.question.so_far.step for answered in desk.journal.answers] == [1, 2, 3, 4]
    assert desk.world.store.recent.attempt_of(told.call_id).outcome is Outcome.UNANSWERED


async def test_another_process_goes_on_by_the_context_alone(desk):
    asked = await desk.answer(started(desk, D1_OTHER), desk.pbx)
    wrong = await desk.answer(follows(desk, asked, QuestionKind.DIGITS, digits="000000"), desk.pbx)
    other = Desk()
    other.world.put(binding())
    again = await other.answer(follows(desk, wrong, QuestionKind.DIGITS, digits="000001"), other.pbx)
    assert (again.question.so_far.step, again.question.so_far.wrong_codes) == (3, 1)
    third = await other.answer(follows(desk, again, QuestionKind.DIGITS, digits="000002"), other.pbx)
    assert (third.decision.reason, type(last(third.decision))) == ("wrong_code", Fallback)


async def test_a_pbx_that_loses_the_context_is_understood(desk):
    await desk.answer(started(desk, STRANGER), desk.pbx)
    typed = replace(started(desk, STRANGER), kind=QuestionKind.DIGITS, digits="000000")
    first = await desk.answer(typed, desk.pbx)
    repeated = await desk.answer(typed, desk.pbx)
    later = await desk.answer(replace(typed, at=desk.world.now + minutes(1)), desk.pbx)
    assert [answered.question.so_far.step for answered in (first, repeated, later)] == [2, 2, 3]
    assert repeated.repeated
    nothing = await desk.answer(replace(typed, digits="", at=desk.world.now + minutes(2)), desk.pbx)
    assert nothing.decision.reason == "wrong_code"


async def test_wrong_codes_are_counted_over_calls(desk):
    for number in range(3):
        asked = await desk.answer(started(desk, STRANGER, call=f"c-{number}"), desk.pbx)
        assert isinstance(last(asked.decision), Ask)
        typed = await desk.answer(follows(desk, asked, QuestionKind.DIGITS, digits="000000"), desk.pbx)
    assert typed.decision.reason == "code_attempts_exceeded"
    assert (
        await desk.answer(started(desk, STRANGER, call="c-9"), desk.pbx)
    ).decision.reason == "code_attempts_exceeded"


async def test_dials_count_and_short_ones_are_taken_back(desk):
    for number in range(10):
        await desk.answer(started(desk, D1, call=f"c-{number}"), desk.pbx)
    assert (await desk.answer(started(desk, D1, call="c-x"), desk.pbx)).decision.reason == "too_many_calls"
    desk.world.now += timedelta(seconds=2)
    await desk.record(Ended("c-0", desk.world.now, "cancelled"), account="demo-generic")
    assert (await desk.answer(started(desk, D1, call="c-y"), desk.pbx)).decision.reason == "pair"


async def test_a_missed_call_is_called_back(desk):
    desk.world.put(binding("o-2", client=C2, number=POOL2, codes=("700002", "700003")))
    assert (await desk.answer(started(desk, D1, MAIN, call="c-1"), desk.pbx)).decision.reason == "ambiguous"
    await desk.answer(started(desk, C2, POOL2, call="c-2"), desk.pbx)
    desk.world.now += timedelta(seconds=20)
    await desk.record(Ended("c-2", desk.world.now, "no_answer"), account="demo-generic")
    called = await desk.answer(started(desk, D1, MAIN, call="c-3"), desk.pbx)
    assert (called.decision.reason, last(called.decision).targets) == ("callback", (C2,))


async def test_phone_that_somebody_called_from_is_rung_first(desk):
    desk.world.put(binding(client=(C1, C2)))
    await desk.answer(started(desk, C2, call="c-1"), desk.pbx)
    called = await desk.answer(started(desk, D1, call="c-2"), desk.pbx)
    assert last(called.decision).targets == (C2, C1)


async def test_a_dial_that_comes_back_is_never_dialled_again(desk):
    call = Restarted(started(desk, C1))
    first = await desk.answer(call, desk.pbx)
    assert isinstance(last(first.decision), Dial)
    desk.world.now += timedelta(seconds=10)
    assert (await desk.answer(call, desk.pbx)).repeated
    desk.world.now += timedelta(seconds=19)
    back = await desk.answer(call, desk.pbx)
    assert (back.decision.reason, back.question.so_far.step) == ("driver_unreachable", 2)
    assert isinstance(last(back.decision), Fallback)
    assert (await desk.answer(call, desk.pbx)).decision == back.decision
    desk.world.now += timedelta(seconds=60)
    returned = await desk.answer(call, desk.pbx)
    assert returned.decision.actions == (Hangup(),)


async def test_a_dial_that_comes_back_to_another_process(desk):
    began = desk.world.now
    desk.world.now += timedelta(seconds=31)
    back = await desk.answer(Restarted(started(desk, C1), began), desk.pbx)
    assert (back.decision.reason, back.question.so_far.step) == ("driver_unreachable", 2)
    fresh = await desk.answer(Restarted(started(desk, C1, call="c-2"), desk.world.now), desk.pbx)
    assert fresh.decision.reason == "pair"
    unknown = await desk.answer(Restarted(started(desk, C1, call="c-3"), None), desk.pbx)
    assert unknown.decision.reason == "pair"


async def test_what_follows_a_prompt(desk):
    call = started(desk, D1)
    await desk.answer(Restarted(call), desk.pbx)
    desk.world.now += timedelta(seconds=31)
    announced = await desk.answer(Restarted(call), desk.pbx)
    assert announced.decision.actions == (Play("client_unavailable"), Hangup())
    assert (await desk.answer(Played(call), desk.pbx)).decision.actions == (Hangup(),)
    assert (await desk.answer(Played(started(desk, D1, call="unknown")), desk.pbx)).decision.actions == (Hangup(),)


async def test_full_spool_does_not_keep_a_call_from_its_answer(desk):
    desk.journal.full = True
    answered = await desk.answer(started(desk, D1), desk.pbx)
    assert last(answered.decision).targets == (C1,)
    assert desk.troubles == ["journal: JournalRefused"]
    with pytest.raises(JournalRefused):
        await desk.record(Progress("c-1", desk.world.now, "bridged"), account="demo-generic")


async def test_a_fault_inside_still_ends_at_people(desk, monkeypatch):
    async def broken(_):
        raise RuntimeError

    monkeypatch.setattr(desk.binder, "find", broken)
    answered = await desk.answer(started(desk, STRANGER), desk.pbx)
    assert (answered.decision.reason, answered.decision.actions) == ("internal_error", (Fallback("operator"),))
    assert desk.troubles == ["decide: RuntimeError"]
    assert desk.journal.answers == [answered]


async def test_answered_is_what_was_bridged(desk):
    await desk.answer(started(desk, D1), desk.pbx)
    await desk.record(Progress("c-1", desk.world.now, "bridged"), account="demo-generic")
    await desk.record(Ended("c-1", desk.world.now, "no_answer"), account="demo-generic")
    assert desk.journal.reports[-1].disposition == "answered"
    attempt = desk.world.store.recent.attempt_of(call_id_of("demo-generic", "c-1"))
    assert (attempt.outcome, attempt.ended_at) == (Outcome.ANSWERED, desk.world.now)


async def test_order_binder_is_asked_when_nobody_is_found(desk):
    desk.binder.found = Found((binding("o-9", client=STRANGER, number=POOL2, codes=("700002", "700003")),))
    answered = await desk.answer(started(desk, STRANGER, POOL2), desk.pbx)
    assert (answered.decision.reason, answered.decision.source) == ("pair", Source.BINDER)
    (wanted,) = desk.binder.asked
    assert (wanted.tenants, wanted.number, wanted.phone, wanted.code) == (("demo",), POOL2, STRANGER, None)
    assert desk.world.store.bindings.get("demo", "o-9") is not None


async def test_order_binder_is_asked_for_a_code_and_for_an_unknown_number(desk):
    await desk.answer(started(desk, STRANGER, "+74950000999"), desk.pbx)
    typed = replace(started(desk, STRANGER, call="c-2"), kind=QuestionKind.DIGITS, digits="*123456#")
    desk.binder.found = Found((), number=ProxyNumber("+74950000999", "solo", NumberRole.MAIN, revision=1))
    await desk.answer(typed, desk.pbx)
    first, second = desk.binder.asked
    assert (first.tenants, first.number) == (("demo", "solo"), "+74950000999")
    assert (second.tenants, second.code) == (("demo",), "123456")


async def test_order_binders_silence_leaves_the_replicas_own_result(desk):
    answered = await desk.answer(started(desk, STRANGER), desk.pbx)
    assert (answered.decision.reason, answered.decision.source) == ("unknown_caller", Source.REPLICA)
    unknown = await desk.answer(started(desk, STRANGER, "+74950000999", call="c-2"), desk.pbx)
    assert (unknown.decision.source, last(unknown.decision)) == (Source.DEFAULT, Fallback("operator"))


async def test_an_older_answer_of_order_binder_changes_nothing(desk):
    desk.world.put(binding(revision=50))
    desk.data.unsure = True
    desk.binder.found = Found((binding(revision=49, client=C2),))
    answered = await desk.answer(started(desk, D1), desk.pbx)
    assert last(answered.decision).targets == (C1,)


@pytest.mark.parametrize(("unsure", "asked"), [(False, 0), (True, 1)])
async def test_a_sure_answer_needs_nobody(desk, unsure, asked):
    desk.data.unsure = unsure
    await desk.answer(started(desk, D1), desk.pbx)
    assert len(desk.binder.asked) == asked


def test_ids_are_the_same_in_every_process():
    assert call_id_of("a", "b") == "63047a73-5824-5e5c-a20b-d2717e450a26"
    assert event_id_of(call_id_of("a", "b"), "step:1") == "cea68606-c452-542a-85af-a3f67cee0e60"
    assert call_id_of("a", "b") != call_id_of("b", "a")


async def test_a_pbx_that_rings_one_phone_for_each_answer_gets_the_next(desk):
    desk.world.put(binding(driver=D1, client=(C1, C2)))
    call = Restarted(started(desk, D1))
    assert last((await desk.answer(call, desk.pbx)).decision).targets == (C1, C2)
    desk.world.now += timedelta(seconds=30)
    second = await desk.answer(call, desk.pbx)
    assert (second.decision.reason, last(second.decision).targets, second.decision.attempt) == ("pair", (C2,), None)
    desk.world.now += timedelta(seconds=30)
    third = await desk.answer(call, desk.pbx)
    assert third.decision.reason == "unanswered"


async def test_the_next_phone_is_not_rung_for_a_driver_who_lost_the_order(desk):
    desk.world.put(binding(driver=D1, client=(C1, C2)))
    call = Restarted(started(desk, D1))
    await desk.answer(call, desk.pbx)
    desk.world.put(binding(driver=D1_OTHER, client=(C1, C2)))
    desk.world.now += timedelta(seconds=30)
    assert (await desk.answer(call, desk.pbx)).decision.reason == "unanswered"
