from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule
from router_world import C1, C2, D1, D2, MAIN, POOL, POOL2, STRANGER, T0, binding, minutes

from call_router.domain.bindings import Role
from call_router.domain.inventory import NumberRole, ProxyNumber, Tenant
from call_router.domain.values import replace
from call_router.replica.bindings import BindingReplica
from call_router.replica.endings import Endings
from call_router.replica.freshness import Freshness
from call_router.replica.index import RowIndex
from call_router.replica.inventory import InventoryReplica
from call_router.replica.recent import RecentCallsMemory
from call_router.replica.rows import pack, unpack
from call_router.replica.store import ReplicaStore

PHONES = (D1, D2, C1, C2)
CODES = ("000001", "000010", "100000")


def test_a_row_holds_the_whole_binding():
    one = binding(
        client=(C1, C2), trace="00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01", driver_allowed=False
    )
    assert unpack(pack(one)) == one
    bare = replace(one, driver=replace(one.driver, id=None, label=None, code=None), trace=None)
    assert unpack(pack(bare)) == bare


@given(st.permutations(range(1, 7)))
def test_the_highest_revision_wins_in_any_order(revisions):
    replica = BindingReplica()
    best = 0
    for revision in revisions:
        assert replica.put(binding(revision=revision, client=C1 if revision % 2 else C2)) == (revision > best)
        best = max(best, revision)
        assert replica.get("demo", "o-1").revision == best
    assert replica.of_phone("demo", C1) == []
    assert [found.revision for found in replica.of_phone("demo", C2)] == [6]


def test_leading_zeros_of_codes_count():
    replica = BindingReplica()
    replica.put(binding(codes=("000001", "0000010")))
    assert replica.of_code("demo", "000001")
    assert not replica.of_code("demo", "1")
    assert not replica.of_code("demo", "00000010")


def test_tenants_are_apart():
    replica = BindingReplica()
    replica.put(binding())
    replica.put(binding(tenant="solo", number=MAIN))
    assert [found.tenant for found in replica.of_phone("solo", D1)] == ["solo"]
    assert replica.of_phone("other", D1) == []
    assert replica.of_code("other", "482913") == []


def test_bindings_drop_out_an_hour_after_their_end_and_do_not_come_back():
    replica = BindingReplica()
    ends = T0 + minutes(10)
    replica.put(binding(driver_window=(T0, ends), client_window=(T0, ends), revision=5))
    replica.put(binding("o-2", revision=5))
    assert replica.drop_ended(ends + minutes(59), 100) == 0
    assert replica.drop_ended(ends + minutes(60), 100) == 1
    assert (replica.get("demo", "o-1"), len(replica), replica.of_phone("demo", C1)[0].order_id) == (None, 1, "o-2")
    assert not replica.put(binding(revision=4))
    assert replica.put(binding(revision=6))


def test_a_binding_that_was_prolonged_stays():
    replica = BindingReplica()
    short = (T0, T0 + minutes(10))
    replica.put(binding(driver_window=short, client_window=short, revision=1))
    replica.put(binding(revision=2))
    assert replica.drop_ended(T0 + timedelta(hours=3), 100) == 0
    assert replica.get("demo", "o-1").revision == 2


def test_a_tombstone_may_overtake_the_record_that_it_follows():
    replica = BindingReplica()
    replica.put(binding(revision=10))
    replica.drop("demo", "o-1")
    assert replica.of_phone("demo", D1) == []
    assert not replica.put(binding(revision=9))
    assert replica.put(binding(revision=10))
    replica.drop("demo", "nobody")


class ReplicaMachine(RuleBasedStateMachine):
    """A replica beside a plain dictionary of the highest revisions."""

    def __init__(self) -> None:
        super().__init__()
        self.replica = BindingReplica()
        self.model = {}
        self.gone = {}

    @rule(
        order=st.sampled_from(("a", "b", "c")),
        revision=st.integers(1, 9),
        driver=st.lists(st.sampled_from(PHONES), min_size=1, max_size=2, unique=True).map(tuple),
        client=st.sampled_from(PHONES),
        number=st.sampled_from((POOL, POOL2)),
        codes=st.tuples(st.sampled_from(CODES), st.sampled_from(CODES)),
    )
    def put(self, order, **more):
        one = binding(order, **more)
        known = self.model.get(order)
        newer = one.revision > known.revision if known else one.revision >= self.gone.get(order, 0)
        assert self.replica.put(one) == newer
        if newer:
            self.model[order] = one

    @rule(order=st.sampled_from(("a", "b", "c")))
    def drop(self, order):
        self.replica.drop("demo", order)
        if order in self.model:
            self.gone[order] = self.model.pop(order).revision

    @invariant()
    def every_look_up_agrees(self):
        bindings = self.model.values()
        for phone in PHONES:
            expected = {one.order_id for one in bindings if one.role_of(phone)}
            assert {one.order_id for one in self.replica.of_phone("demo", phone)} == expected
        for code in CODES:
            expected = {one.order_id for one in bindings if one.owner_of(code)}
            assert {one.order_id for one in self.replica.of_code("demo", code)} == expected
        for number in (POOL, POOL2):
            named = any(one.number == number for one in bindings)
            assert (self.replica.naming(number, T0) == "demo") == named
        assert sorted(one.order_id for one in self.replica.all()) == sorted(self.model)
        assert len(self.replica) == len(self.model)


TestReplicaMachine = ReplicaMachine.TestCase


@given(st.lists(st.tuples(st.booleans(), st.integers(0, 3), st.integers(0, 5))))
def test_index_is_a_dictionary_of_sets(changes):
    index, model = RowIndex(), {}
    for add, key, row in changes:
        rows = model.setdefault(key, set())
        if add:
            index.add(key, row)
            rows.add(row)
        else:
            index.remove(key, row)
            rows.discard(row)
        assert set(index.get(key)) == rows
        assert len(index.get(key)) == len(rows)
    assert len(index) == sum(1 for rows in model.values() if rows)


def test_inventory_keeps_the_highest_revision():
    inventory = InventoryReplica()
    assert inventory.put_number(ProxyNumber(POOL, "demo", NumberRole.POOL, revision=2))
    assert not inventory.put_number(ProxyNumber(POOL, "demo", NumberRole.DESK, revision=1))
    assert inventory.number(POOL).role == "pool"
    inventory.put_number(ProxyNumber("+74950000002", "demo", NumberRole.MAIN, revision=1))
    inventory.put_number(ProxyNumber(MAIN, "demo", NumberRole.MAIN, revision=1))
    assert inventory.main_number("demo") == MAIN
    inventory.drop_number(MAIN)
    assert (inventory.number(MAIN), inventory.main_number("demo")) == (None, "+74950000002")
    assert inventory.put_tenant(Tenant("demo", "RU", revision=3))
    assert not inventory.put_tenant(Tenant("demo", "GB", revision=3))
    inventory.drop_tenant("demo")
    assert inventory.tenant("demo") is None


def test_age_and_cut_off():
    now = [100.0]
    freshness = Freshness(lambda: now[0], lambda: T0)
    assert (freshness.age(T0), freshness.cut_off, freshness.unsure) == (None, True, True)
    freshness.expect(2)
    freshness.heard(0, T0 - timedelta(seconds=3))
    assert (freshness.age(T0), freshness.cut_off) == (None, True)
    freshness.heard(1, T0)
    assert (freshness.age(T0), freshness.cut_off, freshness.unsure) == (timedelta(seconds=3), False, True)
    freshness.filled.set()
    assert not freshness.unsure
    now[0] += 5.1
    assert freshness.unsure
    freshness.heard(0, T0)
    assert freshness.cut_off
    freshness.heard(1, T0)
    assert (freshness.cut_off, freshness.age(T0 - timedelta(seconds=1))) == (False, timedelta(0))


def test_recent_calls_are_bounded():
    memory = RecentCallsMemory(most=3)
    store = ReplicaStore(recent=memory)
    world_binding = binding()
    from call_router.domain.calls import Attempt, WrongCode

    def attempt(caller, at):
        return Attempt("demo", "o-1", world_binding.person(Role.DRIVER), f"c/{caller}", caller, at, at)

    for number in range(10):
        memory.dialled(f"call-{number}", 1, attempt(f"+{number}", T0))
        memory.wrong_code(f"call-{number}", 2, WrongCode("demo", f"+{number}", POOL, False, T0))
    assert len(store.recent) == 3
    assert memory.attempt_of("call-0") is None
    assert memory.dials("demo", "o-1", "+9", T0 - minutes(1)) == 1
    assert memory.wrong_codes_at(POOL, T0 - minutes(1)) == 3
    assert memory.wrong_codes_of("demo", "+0", T0 - minutes(1)) == 0
    memory.dialled("later", 1, attempt(STRANGER, T0 + timedelta(hours=26)))
    assert len(memory) == 1
    assert memory.latest_attempt("demo", world_binding.person(Role.DRIVER), "c/+9") is None


def test_reports_change_what_is_known_of_an_attempt():
    from call_router.domain.calls import Attempt, Outcome

    memory = RecentCallsMemory()
    memory.dialled("c", 1, Attempt("demo", "o-1", "d", "c", D1, T0, T0 + minutes(0.5)))
    assert not memory.attempt_of("c").unanswered(T0 + minutes(1))
    assert memory.attempt_of("c").unanswered(T0 + minutes(1.5))
    memory.answered("c")
    memory.unanswered("c", None)
    memory.ended("c", T0 + minutes(2))
    memory.ended("c", T0 + minutes(3))
    assert (memory.attempt_of("c").outcome, memory.attempt_of("c").ended_at) == (Outcome.ANSWERED, T0 + minutes(2))
    for call in ("nobody", "else"):
        memory.answered(call)
        memory.unanswered(call, None)
        memory.ended(call, T0)


def test_an_operator_who_answers_afterwards_is_not_the_peer():
    from call_router.domain.calls import Attempt, Outcome

    memory = RecentCallsMemory()
    memory.dialled("c", 1, Attempt("demo", "o-1", "d", "c", D1, T0, T0 + minutes(0.5)))
    memory.unanswered("c", timedelta(seconds=30))
    memory.answered("c")
    assert memory.attempt_of("c").outcome is Outcome.UNANSWERED
    memory.dialled("late", 1, Attempt("demo", "o-1", "d", "c", D1, T0, T0 + minutes(0.5)))
    memory.unanswered("late", None)
    memory.ended("late", T0 + minutes(1))
    memory.answered("late")
    assert memory.attempt_of("late").outcome is Outcome.ANSWERED, "reports come in any order"


@pytest.mark.parametrize(("rang", "count"), [(4.9, 0), (5, 1), (None, 1)])
def test_a_dial_that_rang_for_a_moment_is_taken_back(rang, count):
    from call_router.domain.calls import Attempt

    memory = RecentCallsMemory()
    memory.dialled("c", 1, Attempt("demo", "o-1", "d", "c", D1, T0, T0))
    memory.unanswered("c", None if rang is None else timedelta(seconds=rang))
    assert memory.dials("demo", "o-1", D1, T0 - minutes(1)) == count


@given(st.lists(st.tuples(st.integers(0, 10_000), st.integers(0, 50)), max_size=60), st.integers(0, 10_000))
def test_whatever_has_ended_is_taken_once_and_nothing_too_early(added, now):
    endings = Endings()
    for ends_at, row in added:
        endings.add(ends_at, row)
    taken = list(iter(lambda: endings.take(now), None))
    surely = sorted(row for ends_at, row in added if ends_at <= now - 60)
    perhaps = [row for ends_at, row in added if ends_at <= now]
    assert all(taken.count(row) <= perhaps.count(row) for row in taken)
    assert all(surely.count(row) <= taken.count(row) for row in surely)
