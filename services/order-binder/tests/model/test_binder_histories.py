"""Random histories of few people, few numbers and many orders, on a real PostgreSQL whose clock the test moves.

At every step: the database agrees with a model written independently of the code, a slot and a code mean one thing each,
and nobody reaches a stranger. Once publication has come to rest, the topic's fold says the same as the database.
"""

import asyncio
import os
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from model_checks import Checks
from model_events import OWNED, POOL, SPANS, batches, number_states, policies
from model_slots import OTHER, direction
from model_topic import Fault
from model_world import World, record_of

from fareline_chassis.kafka.producer import DeliveryUnknown
from fareline_chassis.kafka.records import OutRecord
from fareline_contracts.bindings import BindingRecord
from order_binder.domain.events import OrderEvent

EFFORT = int(os.environ.get("FARELINE_EFFORT", "1"))


def orders_change(name: str):
    """Return the rule that orders change: the platform's events arrive in one batch, some of them later or never."""

    def change(self, changes):
        written = [(self.write(**change), delivered) for change, delivered in changes]
        self.deliver([event for event, delivered in written if delivered])

    change.__name__ = name
    return rule(changes=batches)(change)


class Histories(RuleBasedStateMachine):
    """What a platform, an operator, the clock and bad luck may do. `world` and `run` are set by the test."""

    world: World
    run: staticmethod

    @initialize(seed=st.integers(0, 1000))
    def begin(self, seed):
        self.run(self.world.empty(seed))
        self.checks = Checks()
        self.written: list[OrderEvent] = []
        self.frozen = []
        self.run(self.world.furnish(self.checks.rules))

    # What the platform does.

    # One rule under four names: Hypothesis leaves out rules by name, and a history without orders says nothing.
    orders_change, again, once_more, another_day = map(orders_change, ("orders_change", "again", "once_more", "later"))

    def write(self, *, key, status, driver, client, ago, ahead, may, jump) -> OrderEvent:
        """Return the next event of an order, as the platform writes it; it may be delivered again at any time."""
        now = self.world.now
        last = max((event.version for event in self.written if event.key == key), default=0)
        event = OrderEvent(
            key=key,
            version=last + jump,
            status=status,
            status_changed_at=now - timedelta(minutes=ago),
            client=client,
            caused_at=now,
            driver=driver,
            scheduled_for=None if ahead is None else now + timedelta(minutes=ahead),
            driver_may_call=may[0],
            client_may_call=may[1],
        )
        self.written.append(event)
        return event

    @precondition(lambda self: self.written)
    @rule(backs=st.lists(st.integers(0, 12), min_size=1, max_size=6))
    def events_arrive(self, backs):
        """A batch of events arrives: new or old, in any order, some of them twice."""
        self.deliver([self.written[-1 - back % len(self.written)] for back in backs])

    def deliver(self, events):
        self.run(self.world.ingest(events))
        self.checks.deliver(events, self.world.now)

    # What operators do.

    @rule(tenant=st.sampled_from(list(POOL)), rules=policies, number=st.sampled_from(OWNED), state=number_states)
    def an_operator_decides(self, tenant, rules, number, state):
        """Another policy for a tenant, another state for a number."""
        self.checks.rules[tenant] = rules
        self.run(self.world.put_tenant(tenant, rules.document()))
        self.checks.states[number[1]] = state
        self.run(self.world.put_number(*number, "pool", state))

    # What time and bad luck do.

    @rule(span=st.sampled_from(SPANS), noticed=st.booleans())
    def time_passes(self, span, noticed):
        """The clock goes on, and the sweeper comes by or does not."""
        if span > timedelta(days=7):
            self.everything_lands()  # no producer holds a record for a week
        self.run(self.world.pass_time(span))
        if noticed:
            self.sweep()

    @precondition(lambda self: any(self.checks.seen.values()))
    @rule(pick=st.integers(0, 20), side=st.sampled_from(list(OTHER)), edge=st.sampled_from([-1, 0]))
    def a_window_is_about_to_close(self, pick, side, edge):
        """The very last moment of a window, or the first one after it."""
        records = [record for record in self.checks.seen.values() if record]
        at = direction(records[pick % len(records)], side).closes_at + timedelta(microseconds=edge)
        if at > self.world.now:
            self.run(self.world.set_clock(at))

    def sweep(self):
        self.run(self.world.sweep())
        self.checks.swept(self.run(self.world.orders()), self.world.now)

    @rule(partition=st.integers(0, 1), fault=st.sampled_from([*Fault, "freeze", "freeze", "restart", "wake"]))
    def a_publisher_goes_on(self, partition, fault):
        """One publisher takes a step, comes to grief in it, freezes before sending, or a frozen one wakes."""
        if fault == "restart":
            self.world.restart()
        elif fault == "freeze":
            self.frozen.append((partition, self.run(self.world.source.unpublished(partition, 5))))
        elif fault == "wake":
            self.everything_lands()
        else:
            self.publish(partition, fault)

    def publish(self, partition, fault):
        self.world.topic.fault = fault
        try:
            self.run(self.world.publishers[partition].step())
        except DeliveryUnknown:
            pass
        self.world.topic.fault = Fault.NONE

    def everything_lands(self):
        """Frozen publishers wake and do what they were about to; late records are written."""
        for partition, rows in self.frozen:
            self.world.topic.append([OutRecord("b", row.key, row.value, row.headers, partition) for row in rows])
            if rows:
                self.run(self.world.source.mark([(row.key, row.revision) for row in rows]))
        self.frozen = []
        self.world.topic.land()

    @rule()
    def publication_comes_to_rest(self):
        self.everything_lands()
        self.run(self.world.settle())
        known = self.run(self.world.orders())
        bound = {key.encode(): record for key, order in known.items() if (record := record_of(order))}
        topic = self.world.topic.fold()
        stand = {key: BindingRecord.model_validate_json(it.value) for key, it in topic.items() if it.value}
        assert {key: vars_of(record) for key, record in stand.items()} == {
            key: vars_of(record) for key, record in bound.items()
        }
        highest = self.world.topic.highest()
        assert all(int(record.header("ce_revision")) == highest[key] for key, record in topic.items())

    @invariant()
    def everything_agrees(self):
        if hasattr(self, "checks"):
            self.checks.step(self.run(self.world.orders()), self.world.now)


def vars_of(record: BindingRecord) -> dict:
    """Return a record without the one field that is a word for people, which follows the clock."""
    return record.model_dump(exclude={"state"})


@pytest.mark.timeout(300 * EFFORT)
def test_every_history_ends_well(database_url):
    with asyncio.Runner() as runner:
        world = World(database_url)
        runner.run(world.build())

        class OnThisDatabase(Histories):
            pass

        OnThisDatabase.world, OnThisDatabase.run = world, staticmethod(runner.run)
        try:
            run_state_machine_as_test(
                OnThisDatabase,
                settings=settings(
                    max_examples=25 * EFFORT,
                    stateful_step_count=40,
                    deadline=None,
                    database=None,
                    derandomize=EFFORT == 1,
                    suppress_health_check=list(HealthCheck),
                    phases=[phase for phase in Phase if phase is not Phase.explain],
                ),
            )
        finally:
            runner.run(world.close())
