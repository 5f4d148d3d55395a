"""The worked example of the routing rules, row by row: order o-1 of driver D1 and client C1 on a pool number."""

from datetime import timedelta

import pytest
from router_world import (
    C1,
    C2,
    CLIENTS_CODE,
    D1,
    D1_OTHER,
    D2,
    DESK,
    DRIVERS_CODE,
    MAIN,
    POOL,
    POOL2,
    STRANGER,
    T0,
    World,
    binding,
    in_grace,
    last,
    minutes,
)

from call_router.domain.actions import Ask, Dial, Fallback, Hangup, Play
from call_router.domain.bindings import Direction, Link, Role
from call_router.domain.calls import DialResult


@pytest.fixture
def world() -> World:
    world = World()
    world.put(binding())
    return world


def reassign(world: World) -> None:
    world.put(binding(driver=D2, codes=("700001", CLIENTS_CODE)))


def assert_dials(decision, phone, reason, *, shows=POOL):
    dial = last(decision)
    assert isinstance(dial, Dial), decision
    assert (dial.targets, dial.caller_id, decision.reason) == ((phone,), shows, reason)


def test_driver_on_the_pool_number_reaches_the_client(world):
    assert_dials(world.call(D1, POOL), C1, "pair")


def test_driver_on_the_main_number_reaches_the_client_who_sees_the_pool_number(world):
    assert_dials(world.call(D1, MAIN), C1, "single_order")


def test_client_calls_the_number_on_his_display_back(world):
    assert_dials(world.call(C1, POOL), D1, "pair")


def test_driver_from_another_phone_types_his_code(world):
    asked = world.call(D1_OTHER, POOL)
    assert isinstance(last(asked), Ask)
    assert_dials(world.types(D1_OTHER, POOL, DRIVERS_CODE), C1, "extension_unknown_caller")


@pytest.mark.parametrize("number", [POOL, MAIN])
def test_stranger_is_asked_and_falls_back_when_he_types_nothing(world, number):
    asked = world.call(STRANGER, number)
    assert isinstance(last(asked), Ask)
    answered = world.types(STRANGER, number, "", asked=asked.reason)
    assert (answered.reason, last(answered)) == ("unknown_caller", Fallback("operator"))


@pytest.mark.parametrize("caller", [D1, C1, STRANGER, ""])
def test_desk_number_is_always_the_call_centre(world, caller):
    decision = world.call(caller, DESK)
    assert decision.reason == "desk"
    assert isinstance(last(decision), Fallback)


def test_withheld_caller_types_the_clients_code_on_the_pool_number(world):
    assert isinstance(last(world.call("anonymous", POOL)), Ask)
    assert_dials(world.types("anonymous", POOL, CLIENTS_CODE), D1, "extension_unknown_caller")


def test_withheld_callers_code_is_wrong_on_another_number_than_its_binding_names(world):
    decision = world.types("anonymous", MAIN, CLIENTS_CODE)
    assert (decision.reason, type(last(decision))) == ("wrong_code", Ask)


def test_former_driver_without_an_order_is_a_stranger(world):
    reassign(world)
    asked = world.call(D1, POOL)
    assert (asked.reason, type(last(asked))) == ("unknown_caller", Ask)
    assert world.types(D1, POOL, "", asked=asked.reason).reason == "unknown_caller"


def test_former_driver_with_a_new_order_reaches_its_client_from_the_old_number(world):
    reassign(world)
    world.put(binding("o-7", client=C2, number=POOL2, codes=("700002", "700003")))
    assert_dials(world.call(D1, POOL), C2, "other_number", shows=POOL2)


def test_client_reaches_the_new_driver(world):
    reassign(world)
    assert_dials(world.call(C1, POOL), D2, "pair")


def test_client_calls_three_hours_after_completion(world):
    world.put(in_grace())
    world.now = T0 + timedelta(hours=3)
    assert_dials(world.call(C1, POOL), D1, "pair")


def test_driver_calls_three_hours_after_completion(world):
    world.put(in_grace())
    world.now = T0 + timedelta(hours=3)
    decision = world.call(D1, POOL)
    assert (decision.reason, type(last(decision))) == ("window_closed", Fallback)


def test_driver_returns_the_call_that_he_missed(world):
    ended = in_grace()
    world.put(ended)
    world.now = T0 + timedelta(hours=3, minutes=5)
    world.tried(Link(ended, Role.CLIENT), at=T0 + timedelta(hours=3))
    assert_dials(world.call(D1, POOL), C1, "pair")


def test_former_drivers_old_code_is_wrong(world):
    reassign(world)
    assert world.types(D1, POOL, DRIVERS_CODE).reason == "wrong_code"


def test_driver_with_a_passenger_aboard_wants_the_next_client(world):
    world.put(binding(status="in_progress"), binding("o-2", client=C2, number=POOL2, codes=("700002", "700003")))
    assert_dials(world.call(D1, MAIN), C2, "order_state", shows=POOL2)


def test_driver_hears_that_his_client_does_not_answer(world):
    decision = world.dialled(D1, POOL, DialResult.NO_ANSWER, Direction.DRIVER_TO_CLIENT)
    assert decision.actions == (Play("client_unavailable"), Hangup())
    assert decision.reason == "unanswered"


def test_return_window_closes_after_a_quarter_of_an_hour(world):
    ended = in_grace()
    world.put(ended)
    world.tried(Link(ended, Role.CLIENT), at=T0 + timedelta(hours=3))
    world.now = T0 + timedelta(hours=3) + minutes(15)
    assert world.call(D1, POOL).reason == "window_closed"
