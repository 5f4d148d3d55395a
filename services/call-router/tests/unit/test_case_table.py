"""The case table of the routing rules, by case number, as far as a decision answers it.

`ELSEWHERE` names who answers the others, so that no case is forgotten.
"""

from collections.abc import Callable
from datetime import timedelta
from typing import TypeVar

import pytest
from router_world import (
    C1,
    C2,
    C3,
    CLIENTS_CODE,
    D1,
    D1_OTHER,
    D2,
    D3,
    DRIVERS_CODE,
    MAIN,
    POOL,
    POOL2,
    POOL3,
    SOLO,
    STAFF,
    STRANGER,
    T0,
    World,
    binding,
    in_grace,
    last,
    minutes,
)

from call_router.domain.actions import Ask, Dial, Fallback, Hangup, Play, Reject
from call_router.domain.bindings import Direction, Link, Role
from call_router.domain.calls import DialResult, Outcome
from call_router.domain.policy import Policy

Test = TypeVar("Test", bound=Callable[..., None])
COVERED: set[int] = set()
ELSEWHERE = {
    "order-binder": {1, 2, 3, 4, 6, 8, 9, 10, 11, 13, 16, 27, 39, 40, 41, 44, 48, 54, 93, 96},
    "recording-ingest": {69, 70, 71, 72, 73, 74, 75, 76, 77, 78, 79, 80, 81, 82, 83, 85},
    "answering, replica and spool of call-router": {12, 33, 56, 57, 58, 59, 60, 61},
    "the PBX or its adapter": {29, 30, 42, 52, 63, 64, 65, 66, 67, 68, 86, 87},
    "logs and metrics of every service": {88, 91, 92},
    "nobody yet, by design": {94},
}
SECOND, THIRD = ("700002", "700003"), ("700004", "700005")


def case(*numbers: int) -> Callable[[Test], Test]:
    def mark(test: Test) -> Test:
        COVERED.update(numbers)
        return test

    return mark


@pytest.fixture
def world() -> World:
    return World()


def rung(decision) -> str:
    dial = last(decision)
    assert isinstance(dial, Dial), (decision.reason, decision.actions)
    return dial.targets[0]


@case(5)
def test_old_driver_stops_at_once_and_the_client_reaches_the_new_one(world):
    world.put(binding())
    world.put(binding(driver=D2))
    assert rung(world.call(C1, POOL)) == D2
    assert world.call(D1, POOL).reason == "unknown_caller"
    assert rung(world.call(D2, POOL)) == C1


@case(7)
def test_a_change_decides_the_next_call_only(world):
    world.put(binding())
    before = world.call(C1, POOL)
    world.put(binding(driver=D2))
    assert rung(before) == D1
    assert rung(world.call(C1, POOL)) == D2


@case(14)
def test_prebooked_order_opens_when_its_windows_do(world):
    tomorrow = T0 + timedelta(days=1)
    end = T0 + timedelta(days=3)
    world.put(binding(driver_window=(tomorrow - minutes(60), end), client_window=(tomorrow - minutes(30), end)))
    assert world.call(D1, POOL).reason == "window_closed"
    world.now = tomorrow - minutes(45)
    assert rung(world.call(D1, POOL)) == C1
    assert world.call(C1, POOL).reason == "window_closed"
    world.now = tomorrow - minutes(30)
    assert rung(world.call(C1, POOL)) == D1


@case(15)
def test_contact_before_acceptance_is_the_call_centres(world):
    decision = world.call(C1, MAIN)
    assert decision.reason == "unknown_caller"


@case(17)
def test_phones_of_a_side_ring_one_after_the_other_two_at_most(world):
    world.put(binding(client=(C1, C2, C3)))
    assert last(world.call(D1, POOL)).targets == (C1, C2)


@case(17)
def test_phone_that_the_person_last_used_rings_first(world):
    world.put(binding(client=(C1, C2, C3)))
    world.store.recent.called_from("demo", "o-1", Role.CLIENT, C3)
    assert last(world.call(D1, POOL)).targets == (C3, C1)


@case(18)
def test_one_driver_with_three_clients_is_asked_never_guessed(world):
    world.put(
        binding("o-1", number=POOL),
        binding("o-2", client=C2, number=POOL2, codes=SECOND),
        binding("o-3", client=C3, number=POOL3, codes=THIRD),
    )
    asked = world.call(D1, MAIN)
    assert (asked.reason, type(last(asked))) == ("ambiguous", Ask)
    assert rung(world.types(D1, MAIN, THIRD[0], asked="ambiguous")) == C3
    assert {rung(world.call(client, MAIN)) for client in (C1, C2, C3)} == {D1}


@case(19)
def test_client_with_two_orders_calls_the_number_of_one_of_them(world):
    world.put(binding("o-1"), binding("o-2", driver=D2, number=POOL2, codes=SECOND))
    assert rung(world.call(C1, POOL)) == D1
    assert rung(world.call(C1, POOL2)) == D2


@case(20)
def test_client_with_two_orders_on_one_number_is_asked(world):
    shared = {"tenant": "solo", "number": SOLO}
    world.put(binding("o-1", **shared), binding("o-2", driver=D2, codes=SECOND, **shared))
    asked = world.call(C1, SOLO)
    assert (asked.reason, type(last(asked))) == ("ambiguous", Ask)


@case(20, 21)
def test_whoever_just_tried_is_called_back(world):
    first, second = binding("o-1"), binding("o-2", client=C2, number=POOL2, codes=SECOND)
    world.put(first, second)
    world.tried(Link(second, Role.CLIENT), at=world.now - minutes(3))
    called = world.call(D1, MAIN)
    assert (called.reason, rung(called)) == ("callback", C2)


@case(20)
def test_the_latest_of_several_attempts_is_called_back(world):
    first, second = binding("o-1"), binding("o-2", client=C2, number=POOL2, codes=SECOND)
    world.put(first, second)
    world.tried(Link(second, Role.CLIENT), at=world.now - minutes(3))
    world.tried(Link(first, Role.CLIENT), at=world.now - minutes(2))
    assert rung(world.call(D1, MAIN)) == C1


@pytest.mark.parametrize(
    ("ago", "outcome", "ended_ago", "expected"),
    [
        (minutes(14), Outcome.UNANSWERED, None, "callback"),
        (minutes(15), Outcome.UNANSWERED, None, "ambiguous"),
        (minutes(5), Outcome.PENDING, None, "callback"),
        (minutes(1), Outcome.PENDING, None, "ambiguous"),
        (minutes(10), Outcome.ANSWERED, minutes(1), "callback"),
        (minutes(10), Outcome.ANSWERED, minutes(2), "ambiguous"),
        (minutes(10), Outcome.ANSWERED, None, "ambiguous"),
    ],
)
@case(20)
def test_a_callback_is_fresh_and_was_missed_or_has_just_ended(world, ago, outcome, ended_ago, expected):
    world.now = T0 + timedelta(hours=1)
    first, second = binding("o-1"), binding("o-2", client=C2, number=POOL2, codes=SECOND)
    world.put(first, second)
    ended_at = None if ended_ago is None else world.now - ended_ago
    world.tried(Link(second, Role.CLIENT), at=world.now - ago, outcome=outcome, ended_at=ended_at)
    assert world.call(D1, MAIN).reason == expected


@case(20)
def test_an_attempt_before_a_change_of_status_or_person_means_nothing(world):
    first, second = binding("o-1"), binding("o-2", client=C2, number=POOL2, codes=SECOND)
    world.put(first, second)
    world.tried(Link(second, Role.CLIENT), at=world.now - minutes(3))
    world.put(binding("o-2", client=C2, number=POOL2, codes=SECOND, changed=world.now - minutes(1)))
    assert world.call(D1, MAIN).reason == "ambiguous"
    world.put(binding("o-1", driver=D2), binding("o-2", driver=D2, client=C2, number=POOL2, codes=SECOND))
    assert world.call(D2, MAIN).reason == "ambiguous"


@case(21)
def test_driver_with_a_passenger_and_the_next_order_means_the_next(world):
    world.put(
        binding("o-1", status="in_progress"), binding("o-2", client=C2, number=POOL2, status="arrived", codes=SECOND)
    )
    called = world.call(D1, MAIN)
    assert (called.reason, rung(called)) == ("order_state", C2)


@case(22)
def test_two_orders_of_the_same_pair_are_one_person_and_both_are_kept(world):
    world.put(
        binding("o-1", status="in_progress", client_id="c"),
        binding("o-2", number=POOL2, status="arrived", client_id="c", codes=SECOND),
    )
    called = world.call(D1, MAIN)
    assert (called.reason, rung(called)) == ("same_party", C1)
    assert (called.link.binding.order_id, called.also) == ("o-2", ("o-1",))
    assert last(called).caller_id == POOL2


@case(23)
def test_driver_who_is_a_client_elsewhere_has_the_role_of_the_number(world):
    world.put(binding("o-1"), binding("o-2", driver=D2, client=D1, number=POOL2, codes=SECOND))
    assert rung(world.call(D1, POOL)) == C1
    assert rung(world.call(D1, POOL2)) == D2
    assert world.call(D1, MAIN).reason == "ambiguous"


@case(24)
def test_right_code_of_somebody_elses_order_is_wrong_for_a_known_caller(world):
    world.put(binding("o-1"), binding("o-2", driver=D2, client=C2, number=POOL2, codes=SECOND))
    wrong = world.types(D2, POOL, DRIVERS_CODE)
    assert (wrong.reason, last(wrong).prompt) == ("wrong_code", "wrong_code")
    assert wrong.wrong_code.known


@case(25)
def test_code_of_another_order_of_the_callers_own_wins(world):
    world.put(binding("o-1"), binding("o-2", client=C2, number=POOL2, codes=SECOND))
    typed = world.types(D1, POOL, SECOND[0])
    assert (typed.reason, rung(typed)) == ("extension", C2)


@case(25)
def test_either_code_of_his_order_brings_a_party_to_his_own_peer(world):
    world.put(binding())
    assert rung(world.types(D1, POOL, CLIENTS_CODE)) == C1
    assert rung(world.types(C1, POOL, CLIENTS_CODE)) == D1


@case(26)
def test_third_wrong_code_of_a_call_ends_at_the_call_centre(world):
    world.put(binding())
    reasons = [world.types(D1, POOL, "000000", wrong=wrong) for wrong in range(3)]
    assert [type(last(decision)) for decision in reasons] == [Ask, Ask, Fallback]
    assert {decision.reason for decision in reasons} == {"wrong_code"}


@case(26)
def test_wrong_and_not_yours_sound_the_same(world):
    world.put(binding("o-1"), binding("o-2", driver=D2, client=C2, number=POOL2, codes=SECOND))
    nonexistent, not_his = world.types(D1, POOL, "999999"), world.types(D1, POOL, SECOND[0])
    assert (nonexistent.reason, nonexistent.actions) == (not_his.reason, not_his.actions)


@case(26)
def test_limit_of_a_known_caller(world):
    world.put(binding())
    world.mistyped(D1, POOL, 8, known=True)
    assert world.types(D1, POOL, "000000").reason == "wrong_code"
    world.mistyped(D1, POOL, 1, known=True)
    tenth = world.types(D1, POOL, "000000")
    assert (tenth.reason, type(last(tenth))) == ("code_attempts_exceeded", Fallback)
    world.mistyped(D1, POOL, 1, known=True)
    assert world.types(D1, POOL, DRIVERS_CODE).reason == "code_attempts_exceeded"
    assert rung(world.call(D1, POOL)) == C1
    world.now += minutes(10)
    assert rung(world.types(D1, POOL, DRIVERS_CODE)) == C1


@case(26)
def test_limit_of_an_unknown_caller_stops_the_asking_too(world):
    world.put(binding())
    world.mistyped(STRANGER, POOL, 3, known=False)
    asked = world.call(STRANGER, POOL)
    assert (asked.reason, type(last(asked))) == ("code_attempts_exceeded", Fallback)
    assert world.call(D1_OTHER, POOL).reason == "unknown_caller"
    world.now += timedelta(hours=1)
    assert isinstance(last(world.call(STRANGER, POOL)), Ask)


@case(26)
def test_limit_of_a_number_counts_strangers_and_withheld_callers_and_spares_known_ones(world):
    world.put(
        binding(),
        binding("o-2", client=C2, number=POOL2, codes=SECOND),
        binding("o-3", number=POOL, codes=THIRD, driver=D3, client=C3),
    )
    world.mistyped(None, POOL, 60, known=False)
    assert world.call("anonymous", POOL).reason == "code_attempts_exceeded"
    assert world.call(STRANGER, POOL).reason == "code_attempts_exceeded"
    assert isinstance(last(world.call(STRANGER, POOL2)), Ask)
    assert rung(world.types(D1, POOL, SECOND[0])) == C2


@case(28)
def test_codes_that_have_grown_longer_are_asked_for_and_taken_beside_the_old(world):
    world.put(binding("o-1"), binding("o-2", driver=D2, client=C2, codes=("0048291", "0011820")))
    asked = last(world.call(STRANGER, POOL))
    assert isinstance(asked, Ask)
    assert asked.digits == 7
    assert rung(world.types(STRANGER, POOL, "0048291")) == C2
    assert rung(world.types(STRANGER, POOL, DRIVERS_CODE)) == C1
    assert world.types(STRANGER, POOL, "048291").reason == "wrong_code", "zeros count"
    world.now += timedelta(hours=50)
    assert last(world.call(STRANGER, POOL)).digits == 6, "nobody has a long one any more"


@case(28)
@pytest.mark.parametrize(
    ("typed", "reason"),
    [
        ("#012345", "extension_unknown_caller"),
        ("01*2345#", "extension_unknown_caller"),
        ("12345", "wrong_code"),
        ("0123456", "wrong_code"),
        ("\uff10\uff11\uff12\uff13\uff14\uff15", "wrong_code"),
        ("", "unknown_caller"),
        ("#", "unknown_caller"),
    ],
)
def test_digits_as_phones_send_them(world, typed, reason):
    world.put(binding(codes=("012345", "543210")))
    assert world.types(STRANGER, POOL, typed, asked="unknown_caller").reason == reason


@case(31)
def test_staff_reach_either_side_by_its_code_and_have_no_limits(world):
    world.put(binding())
    asked = world.call(STAFF, MAIN)
    assert (asked.reason, type(last(asked))) == ("staff", Ask)
    assert rung(world.types(STAFF, MAIN, DRIVERS_CODE)) == C1
    typed = world.types("101", MAIN, CLIENTS_CODE)
    assert (typed.reason, rung(typed), typed.attempt) == ("staff", D1, None)
    world.mistyped(STAFF, MAIN, 50, known=False)
    again = world.types(STAFF, MAIN, "000000")
    assert (again.reason, type(last(again)), again.wrong_code) == ("wrong_code", Ask, None)
    nothing = world.types(STAFF, MAIN, "", asked="staff")
    assert (nothing.reason, type(last(nothing))) == ("staff", Fallback)


@case(31)
def test_staff_reach_live_orders_only(world):
    world.put(in_grace())
    assert world.types(STAFF, MAIN, DRIVERS_CODE).reason == "wrong_code"


@case(32)
def test_window_is_judged_at_the_moment_of_arrival(world):
    world.put(in_grace(completed=T0))
    world.now = T0 + minutes(15) - timedelta(microseconds=1)
    assert rung(world.call(D1, POOL)) == C1
    world.now = T0 + minutes(15)
    assert world.call(D1, POOL).reason == "window_closed"


@case(34)
def test_forgotten_bag_is_dialled_recorded_and_limited(world):
    world.put(in_grace())
    world.now = T0 + timedelta(hours=3)
    dial = last(world.call(C1, POOL))
    assert (dial.targets, dial.record) == ((D1,), "dual")
    link = Link(world.store.bindings.get("demo", "o-1"), Role.CLIENT)
    for ago in (1, 2, 3):
        world.tried(link, at=world.now - minutes(ago), outcome=Outcome.ANSWERED)
    assert world.call(C1, POOL).reason == "too_many_calls"
    world.now += minutes(15)
    assert rung(world.call(C1, POOL)) == D1


@case(35)
def test_after_grace_the_call_is_the_call_centres(world):
    world.put(in_grace())
    world.now = T0 + timedelta(hours=24)
    assert world.call(C1, POOL).reason == "unknown_caller"


@case(35)
def test_operator_sees_the_callers_order(world):
    world.put(in_grace())
    world.now = T0 + timedelta(hours=3)
    assert last(world.call(D1, POOL)) == Fallback("operator", "o-1 driver / Anna")


@case(36)
def test_driver_after_completion_has_a_short_window_and_a_return_window(world):
    ended = in_grace()
    world.put(ended)
    world.now = T0 + timedelta(hours=2)
    assert world.call(D1, POOL).reason == "window_closed"
    world.tried(Link(ended, Role.CLIENT), at=world.now - minutes(2))
    assert rung(world.call(D1, POOL)) == C1
    world.now = T0 + timedelta(hours=24)
    world.tried(Link(ended, Role.CLIENT), at=world.now - minutes(2))
    assert world.call(D1, POOL).reason != "pair"


@case(36)
def test_return_window_is_for_the_person_who_was_tried(world):
    ended = in_grace()
    world.put(ended)
    world.now = T0 + timedelta(hours=2)
    world.tried(Link(ended, Role.CLIENT), at=world.now - minutes(2))
    world.put(in_grace(driver=D2))
    assert world.call(D2, POOL).reason == "window_closed"


@case(37, 38)
def test_redialled_number_that_serves_others_never_rings_their_driver(world):
    world.put(binding(driver=D2, client=C2))
    assert world.call(C1, POOL).reason == "unknown_caller"
    world.put(binding("o-2", driver=D3, client=C1, number=POOL2, codes=SECOND))
    called = world.call(C1, POOL)
    assert (called.reason, rung(called), last(called).caller_id) == ("other_number", D3, POOL2)


@case(38)
def test_following_a_caller_may_be_switched_off(world):
    world.tenant("demo", Policy(follow_caller=False))
    world.put(binding("o-2", number=POOL2))
    assert world.call(C1, POOL).reason == "unknown_caller"


@case(38)
def test_several_live_orders_elsewhere_are_chosen_between(world):
    world.put(binding("o-1", number=POOL2), binding("o-2", client=C2, number=POOL2, status="arrived", codes=SECOND))
    called = world.call(D1, POOL)
    assert (called.reason, rung(called)) == ("order_state", C2)


@case(38)
def test_an_order_in_grace_does_not_draw_calls_from_other_numbers(world):
    world.put(in_grace("o-1", number=POOL2))
    assert world.call(C1, POOL).reason == "unknown_caller"


@case(43)
def test_windows_are_instants_whatever_the_local_clock(world):
    world.put(binding(client_window=(T0, T0 + minutes(10))))
    world.now = (T0 + minutes(9)).astimezone()
    assert rung(world.call(C1, POOL)) == D1


@case(45, 46)
@pytest.mark.parametrize("written", ["+79031112233", "89031112233", "79031112233", "9031112233", "0079031112233"])
@pytest.mark.parametrize("dialled", ["+74950000101", "84950000101", "74950000101", "4950000101"])
def test_numbers_are_understood_as_they_are_written(world, written, dialled):
    world.put(binding())
    assert rung(world.call(written, dialled)) == C1


@case(47)
@pytest.mark.parametrize("caller", ["", "anonymous", "Restricted", "+266696687", "unknown", "null", "0", "\x07\x00"])
def test_withheld_callers_match_nobody_not_even_each_other(world, caller):
    world.put(binding())
    asked = world.call(caller, POOL)
    assert (asked.reason, type(last(asked)), asked.caller) == ("withheld", Ask, None)
    assert world.types(caller, POOL, "", asked="withheld").reason == "withheld"


@case(49)
def test_a_shared_line_means_several_people_and_is_asked(world):
    hotel = STRANGER
    world.put(
        binding("o-1", client=hotel, client_id="c-1"),
        binding("o-2", driver=D2, client=hotel, client_id="c-2", number=POOL2, codes=SECOND),
    )
    assert world.call(hotel, MAIN).reason == "ambiguous"


@case(50)
def test_a_changed_caller_id_needs_the_code(world):
    world.put(binding())
    assert isinstance(last(world.call(D1_OTHER, POOL)), Ask)
    assert rung(world.types(D1_OTHER, POOL, DRIVERS_CODE)) == C1


@case(50)
def test_codes_from_unknown_phones_may_be_denied(world):
    world.tenant("demo", Policy(code_from_unknown_phone=False))
    world.put(binding())
    assert world.types(D1_OTHER, POOL, DRIVERS_CODE).reason == "wrong_code"
    assert rung(world.types(D1, POOL, DRIVERS_CODE)) == C1


@case(51)
def test_codes_from_unknown_phones_are_worth_nothing_in_grace(world):
    world.put(in_grace())
    assert world.types(D1_OTHER, POOL, CLIENTS_CODE).reason == "wrong_code"


@case(53)
@pytest.mark.parametrize("digits", ["112", "101", "102", "103", "911", "#112"])
def test_emergency_numbers_are_never_codes_and_always_answered(world, digits):
    world.mistyped(STRANGER, POOL, 10, known=False)
    decision = world.types(STRANGER, POOL, digits)
    assert (decision.reason, decision.actions) == ("emergency", (Play("hang_up_and_dial_112"), Hangup()))
    assert decision.wrong_code is None


@case(55)
def test_our_own_numbers_are_never_rung_and_never_served(world):
    assert world.call(POOL2, POOL).actions == (Reject(),)
    world.put(binding(client=(POOL2, SOLO)))
    decision = world.call(D1, POOL)
    assert (decision.reason, type(last(decision))) == ("loop", Fallback)


@case(55)
def test_a_number_that_only_a_live_binding_names_is_ours_too(world):
    ours = "+74950000999"
    world.put(binding("o-1", client=(ours, C1)), binding("o-2", driver=D2, client=C2, number=ours))
    assert rung(world.call(D1, POOL)) == C1
    assert world.call(ours, POOL).actions == (Reject(),)


@case(55)
def test_targets_that_may_not_be_rung_are_left_out(world):
    world.put(binding(client=("+112", POOL2, C1)))
    assert last(world.call(D1, POOL)).targets == (C1,)


@case(62)
@pytest.mark.parametrize("result", ["busy", "no_answer", "rejected", "unreachable"])
def test_unanswered_dials_end_as_the_tenant_wants(world, result):
    to_client = world.dialled(D1, POOL, DialResult(result), Direction.DRIVER_TO_CLIENT)
    assert (to_client.reason, to_client.actions) == ("unanswered", (Play("client_unavailable"), Hangup()))
    to_driver = world.dialled(C1, POOL, DialResult(result), Direction.CLIENT_TO_DRIVER)
    assert (to_driver.reason, type(last(to_driver))) == ("driver_unreachable", Fallback)


@case(62)
def test_other_dial_results(world):
    gone = world.dialled(D1, POOL, DialResult.CANCELLED, Direction.DRIVER_TO_CLIENT)
    assert (gone.reason, gone.actions) == ("caller_gone", (Hangup(),))
    failed = world.dialled(D1, POOL, DialResult.FAILED, Direction.DRIVER_TO_CLIENT)
    assert (failed.reason, type(last(failed))) == ("dial_failed", Fallback)
    assert world.dialled(D1, POOL, DialResult.BUSY, None).reason == "dial_failed"


@case(84)
def test_erased_person_is_a_stranger(world):
    world.put(binding())
    world.store.drop_binding("demo", "o-1")
    decision = world.call(C1, POOL)
    assert (decision.reason, last(world.types(C1, POOL, "", asked="unknown_caller")).display) == ("unknown_caller", "")


@case(89)
def test_too_many_calls_to_one_order(world):
    world.put(binding())
    link = Link(world.store.bindings.get("demo", "o-1"), Role.CLIENT)
    for _ in range(9):
        world.tried(link, at=world.now - minutes(1))
    world.tried(link, at=world.now - minutes(1), rang=timedelta(seconds=4))
    assert rung(world.call(C1, POOL)) == D1
    world.tried(link, at=world.now - minutes(1))
    decision = world.call(C1, POOL)
    assert (decision.reason, type(last(decision))) == ("too_many_calls", Fallback)
    assert rung(world.call(D1, POOL)) == C1


@case(90)
def test_one_direction_may_be_blocked(world):
    world.put(binding(client_allowed=False))
    blocked = world.call(C1, POOL)
    assert (blocked.reason, type(last(blocked))) == ("blocked", Fallback)
    assert rung(world.call(D1, POOL)) == C1


@case(95)
def test_the_same_driver_in_two_tenants_belongs_to_the_number(world):
    world.put(binding("o-1"), binding("o-1", tenant="solo", client=C2, number=SOLO))
    assert rung(world.call(D1, MAIN)) == C1
    assert rung(world.call(D1, SOLO)) == C2


def test_every_case_is_answered_somewhere():
    elsewhere = set().union(*ELSEWHERE.values())
    assert elsewhere | COVERED == set(range(1, 97))
    assert not elsewhere & COVERED
