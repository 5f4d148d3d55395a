"""The life of a binding, by the cases of the order events' table."""

import pytest
from binder_support import C1, D1, HOUR, MINUTE, NOON, RU, client, driver, snapshot

from order_binder.domain.lifecycle import Outcome, decide
from order_binder.domain.orders import Allocation, OrderStatus, Unroutable
from order_binder.domain.states import BindingState, next_change, published_state, state_at
from order_binder.domain.values import replace

BEFORE, NOW = NOON - HOUR, NOON + MINUTE


def play(*snapshots, policy=RU, now=NOW):
    """Return the decisions that these snapshots lead to, one after the other."""
    decisions, order = [], None
    for each in snapshots:
        decisions.append(decide(order, each, policy, now))
        order = decisions[-1].order
    return decisions


def last(*snapshots, **options):
    return play(*snapshots, **options)[-1]


def window(order, direction):
    found = getattr(order.terms.directions, direction)
    return found.opens_at, found.closes_at


def test_case_1_late_accepted_after_completed_changes_nothing():
    completed, late = play(snapshot(5, "completed"), snapshot(4, "accepted"))
    assert completed.outcome is Outcome.GRACE
    assert late.outcome is Outcome.STALE
    assert late.order is completed.order


def test_case_1_completed_long_ago_makes_no_binding_but_is_remembered():
    old = NOON - 25 * HOUR
    decision = last(snapshot(5, "completed", status_changed_at=old))
    assert decision.outcome is Outcome.RECORDED
    assert decision.order.terms is None
    assert decision.order.version == 5


def test_case_1_completed_before_accepted_without_driver_is_only_remembered():
    assert last(snapshot(5, "completed", driver=None)).outcome is Outcome.RECORDED


@pytest.mark.parametrize("version", [3, 2])
def test_cases_2_and_3_repeats_and_older_versions_are_stale(version):
    first, again = play(snapshot(3, "accepted"), snapshot(version, "cancelled"))
    assert again.outcome is Outcome.STALE
    assert again.order is first.order


def test_case_4_the_end_state_wins_by_version():
    decision = last(snapshot(1, "accepted"), snapshot(3, "completed"), snapshot(4, "cancelled"))
    assert decision.outcome is Outcome.ENDED
    assert decision.order.ended(NOW)


def test_case_4_a_cancelled_order_may_come_back():
    decision = last(snapshot(1, "accepted"), snapshot(2, "cancelled"), snapshot(3, "accepted"))
    assert decision.outcome is Outcome.OPENED
    assert state_at(decision.order, NOW) is BindingState.ACTIVE


def test_case_5_another_driver_takes_over_at_once():
    decision = last(snapshot(1, "accepted"), snapshot(2, "accepted", driver=driver("+79035556677", person="d-2")))
    assert decision.outcome is Outcome.REASSIGNED
    assert decision.order.terms.driver.phones == ("+79035556677",)


def test_case_6_the_first_driver_comes_back():
    other = driver("+79035556677", person="d-2")
    decision = last(snapshot(1, "accepted"), snapshot(2, "accepted", driver=other), snapshot(3, "accepted"))
    assert decision.order.terms.driver.id == "d-1"
    assert not decision.order.ended(NOW)


@pytest.mark.parametrize("status", ["searching", "created", "accepted"])
def test_a_lost_driver_closes_both_directions_now(status):
    decision = last(snapshot(1, "accepted"), snapshot(2, status, driver=None))
    assert decision.outcome is Outcome.ENDED
    assert window(decision.order, "driver_to_client") == (NOON, NOW)
    assert window(decision.order, "client_to_driver") == (NOON, NOW)


def test_case_8_a_new_phone_replaces_the_old_one():
    decision = last(snapshot(1, "accepted"), snapshot(2, "accepted", client=client("+79269998877")))
    assert decision.outcome is Outcome.CHANGED
    assert decision.order.terms.client.phones == ("+79269998877",)


@pytest.mark.parametrize(
    ("parties", "reason"),
    [
        ({"driver": driver().__class__(driver().role, (), "d-1")}, Unroutable.DRIVER_WITHOUT_PHONE),
        ({"client": client().__class__(client().role, (), "c-1")}, Unroutable.CLIENT_WITHOUT_PHONE),
        ({"client": client(C1, D1)}, Unroutable.SAME_PHONE),
    ],
)
def test_cases_9_and_10_no_usable_pair_is_unroutable_with_a_reason(parties, reason):
    never, again = play(snapshot(1, "accepted", **parties), snapshot(2, "accepted"))
    assert (never.outcome, never.order.unroutable, never.order.terms) == (Outcome.UNROUTABLE, reason, None)
    assert again.order.unroutable is None
    assert state_at(again.order, NOW) is BindingState.ACTIVE
    broken = last(snapshot(1, "accepted"), snapshot(2, "arrived", **parties))
    assert broken.order.unroutable is reason
    assert broken.order.ended(NOW)
    assert published_state(broken.order, NOW) is BindingState.ENDED


def test_case_14_prebooked_opens_for_the_driver_first():
    decision = last(snapshot(1, "accepted", scheduled_for=NOON + 24 * HOUR))
    cap = NOON + 72 * HOUR
    assert window(decision.order, "driver_to_client") == (NOON + 23 * HOUR, cap)
    assert window(decision.order, "client_to_driver") == (NOON + 23.5 * HOUR, cap)
    assert state_at(decision.order, NOW) is BindingState.PENDING
    assert next_change(replace(decision.order, allocation=Allocation("n", "1", "2", "a", "b")), NOW) == NOON + 23 * HOUR


@pytest.mark.parametrize("status", ["arrived", "in_progress"])
def test_case_14_prebooked_opens_at_once_when_the_driver_is_there(status):
    decision = last(snapshot(1, status, scheduled_for=NOON + 24 * HOUR))
    assert window(decision.order, "client_to_driver")[0] == NOON


def test_a_status_of_the_near_future_opens_now():
    decision = last(snapshot(1, "accepted", status_changed_at=NOW + MINUTE))
    assert window(decision.order, "driver_to_client")[0] == NOW


@pytest.mark.parametrize("status", ["created", "searching"])
def test_case_15_no_contact_before_acceptance(status):
    decision = last(snapshot(1, status, driver=driver()))
    assert decision.outcome is Outcome.RECORDED
    assert state_at(decision.order, NOW) is BindingState.NONE


def test_case_16_an_order_nobody_ends_is_over_at_its_cap():
    order = last(snapshot(1, "in_progress")).order
    assert not order.ended(NOON + 48 * HOUR - MINUTE)
    assert order.ended(NOON + 48 * HOUR)


def test_case_16_a_snapshot_whose_cap_has_passed_opens_nothing():
    decision = last(snapshot(1, "accepted", status_changed_at=NOON - 49 * HOUR))
    assert decision.outcome is Outcome.RECORDED


def test_case_17_several_phones_keep_their_order():
    decision = last(snapshot(1, "accepted", client=client("+79260000002", "+79260000001")))
    assert decision.order.terms.client.phones == ("+79260000002", "+79260000001")


def test_completed_has_a_grace_for_each_direction():
    order = last(snapshot(1, "accepted", status_changed_at=BEFORE), snapshot(2, "completed")).order
    assert window(order, "driver_to_client") == (BEFORE, NOON + 15 * MINUTE)
    assert window(order, "client_to_driver") == (BEFORE, NOON + 24 * HOUR)
    assert state_at(order, NOW) is BindingState.GRACE
    assert state_at(order, NOON + 24 * HOUR) is BindingState.ENDED


def test_completed_that_names_no_driver_means_the_one_bound_last():
    order = last(
        snapshot(1, "accepted"), snapshot(2, "searching", driver=None), snapshot(3, "completed", driver=None)
    ).order
    assert order.terms.driver.id == "d-1"
    assert state_at(order, NOW) is BindingState.GRACE


def test_a_late_completed_ends_what_was_open():
    decision = last(snapshot(1, "accepted"), snapshot(2, "completed", status_changed_at=NOON - 30 * HOUR))
    assert decision.outcome is Outcome.ENDED
    assert decision.order.status is OrderStatus.COMPLETED


def test_consent_contact_and_policy_reach_the_terms():
    terms = last(snapshot(1, "accepted", consent_record=False, client_may_call=False)).order.terms
    assert terms.call.record is False
    assert terms.directions.driver_to_client.allowed
    assert not terms.directions.client_to_driver.allowed


def test_cancelled_before_anything_is_only_remembered():
    assert last(snapshot(1, "created"), snapshot(2, "cancelled")).outcome is Outcome.RECORDED
