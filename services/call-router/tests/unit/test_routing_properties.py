"""What holds for every call in every world."""

from datetime import timedelta

from hypothesis import given, settings
from hypothesis import strategies as st
from router_world import (
    ACCOUNT,
    C1,
    C2,
    D1,
    D2,
    DESK,
    MAIN,
    POOL,
    POOL2,
    SOLO,
    STAFF,
    STRANGER,
    T0,
    World,
    binding,
    minutes,
)

from call_router.domain.actions import Ask, Dial, Fallback, Hangup, Play, Reject
from call_router.domain.bindings import Direction
from call_router.domain.calls import CallSoFar, DialResult, QuestionKind, WrongCode
from call_router.domain.context import read_context
from call_router.domain.inventory import Account
from call_router.domain.phones import normalise
from call_router.domain.values import replace

PEOPLE = (D1, D2, C1, C2, STRANGER)
NUMBERS = (MAIN, DESK, POOL, POOL2, SOLO)
UNLISTED = "+74950000999"  # no record of it has come
CODES = tuple(str(code) for code in range(100_000, 100_012))
phones = st.lists(st.sampled_from((*PEOPLE, POOL2, "+112", MAIN, UNLISTED)), min_size=1, max_size=3, unique=True).map(
    tuple
)
moments = st.integers(-180, 180).map(lambda count: T0 + minutes(count))
windows = st.tuples(moments, moments).map(lambda pair: (min(pair), max(pair)))


@st.composite
def worlds(draw):
    world = World(account=replace(ACCOUNT, can_ask=draw(st.booleans()), can_announce=draw(st.booleans())))
    for place in range(draw(st.integers(0, 5))):
        world.put(
            binding(
                f"o-{place}",
                driver=draw(phones),
                client=draw(phones),
                number=draw(st.sampled_from((MAIN, POOL, POOL2, UNLISTED))),
                status=draw(st.sampled_from(("accepted", "arrived", "in_progress", "completed", "cancelled"))),
                driver_window=draw(windows),
                client_window=draw(windows),
                client_allowed=draw(st.booleans()),
                codes=(CODES[2 * place], CODES[2 * place + 1]),
                record=draw(st.booleans()),
            )
        )
    world.now = draw(moments)
    return world


callers = st.one_of(st.sampled_from((*PEOPLE, *NUMBERS, STAFF, "101", "", "anonymous")), st.text(max_size=20))
dialled = st.one_of(st.sampled_from((*NUMBERS, "+74950000999", "+15550100")), st.text(max_size=20))
typed = st.one_of(st.sampled_from((*CODES, "", "112", "#")), st.text("0123456789*#A", max_size=10))
so_fars = st.builds(
    CallSoFar,
    step=st.integers(1, 9),
    dials=st.integers(0, 3),
    wrong_codes=st.integers(0, 3),
    asked=st.sampled_from((None, "ambiguous", "unknown_caller", "nonsense")),
    direction=st.sampled_from((None, *Direction)),
    order_id=st.sampled_from((None, "o-0", "o-9")),
    fell_back=st.booleans(),
)


@st.composite
def questions(draw, world):
    return world.question(
        draw(st.sampled_from(QuestionKind)),
        draw(callers),
        draw(dialled),
        digits=draw(typed),
        result=draw(st.sampled_from((None, *DialResult))),
        so_far=draw(so_fars),
    )


@settings(deadline=None, max_examples=600)
@given(st.data())
def test_every_question_has_an_answer_that_harms_nobody(data):
    world = data.draw(worlds())
    question = data.draw(questions(world))
    decision = world.decide(question)

    assert decision.actions
    assert all(isinstance(action, Play) for action in decision.actions[:-1])
    action = decision.actions[-1]
    assert isinstance(action, Dial | Ask | Fallback | Reject | Hangup)
    assert decision.rules
    assert not any(phone in rule.why for rule in decision.rules for phone in (*PEOPLE, *NUMBERS))
    if isinstance(action, Ask):
        assert world.account.can_ask
    if isinstance(action, Dial):
        assert_rings_the_right_people(world, question, decision)


def assert_rings_the_right_people(world, question, decision):
    dial, link = decision.actions[-1], decision.link
    caller = normalise(question.caller, "RU")
    assert 1 <= len(dial.targets) <= 2
    assert link is not None
    assert not link.binding.ended(world.now)
    assert set(dial.targets) <= set(link.peer.phones), "a stranger"
    assert caller not in dial.targets, "the caller himself"
    assert not set(dial.targets) & set(NUMBERS), "one of our own numbers"
    assert UNLISTED not in dial.targets or not world.store.bindings.naming(UNLISTED, world.now), "ours, by a binding"
    assert dial.caller_id == link.binding.number
    assert link.window.allowed
    his_own = caller in link.caller.phones
    typed_it = question.digits.translate(str.maketrans("", "", "#* ")) in (
        link.binding.driver.code,
        link.binding.client.code,
    )
    assert his_own or typed_it
    assert link.binding.call.record or dial.record == "off"
    assert question.so_far.step <= 6
    assert question.so_far.dials < 2
    assert read_context(dial.context).dials == question.so_far.dials + 1


@settings(deadline=None, max_examples=100)
@given(st.data())
def test_a_call_ends_however_it_is_played(data):
    """Play a call as a PBX would, answering anything: it has at most two dials, six answers that go on, then ends."""
    world = data.draw(worlds())
    caller, number = data.draw(callers), data.draw(dialled)
    so_far, kind = CallSoFar(), QuestionKind.STARTED
    dials = steps = 0
    while steps <= 8:
        question = world.question(
            kind,
            caller,
            number,
            digits=data.draw(typed),
            result=data.draw(st.sampled_from(DialResult)),
            so_far=so_far,
        )
        decision = world.decide(question)
        steps += 1
        action = decision.actions[-1]
        if decision.wrong_code is not None:
            world.store.recent.wrong_code("c-1", steps, decision.wrong_code)
        if isinstance(action, Dial):
            dials += 1
            kind = QuestionKind.DIALED
        elif isinstance(action, Ask):
            kind = QuestionKind.DIGITS
        else:
            break
        so_far = read_context(action.context)
    assert dials <= 2
    assert steps <= 7
    assert not isinstance(decision.actions[-1], Dial | Ask)


@given(st.builds(CallSoFar, step=st.integers(1, 98), dials=st.integers(0, 2), wrong_codes=st.integers(0, 3)))
def test_what_comes_back_from_the_fallback_is_hung_up(so_far):
    world = World()
    question = world.question(QuestionKind.DIALED, D1, POOL, so_far=replace(so_far, fell_back=True))
    assert world.decide(question).actions == (Hangup(),)


@given(st.text(max_size=60))
def test_any_context_can_be_read(text):
    found = read_context(text)
    assert found is None or 1 < found.step <= 100


def test_account_serves_its_own_tenants_only():
    world = World(account=Account("other", frozenset({"solo"}), "RU", "reception"))
    world.put(binding())
    decision = world.call(D1, POOL)
    assert (decision.reason, decision.actions) == ("unknown_number", (Fallback("reception"),))


def test_number_that_only_a_live_binding_names_counts_as_a_pool_number():
    world = World()
    world.put(binding(number="+74950000999"))
    assert world.call(D1, "+74950000999").reason == "pair"
    world.now = T0 + timedelta(hours=49)
    assert world.call(D1, "+74950000999").reason == "unknown_number"


def test_limits_do_not_outlive_their_time():
    world = World()
    wrong = WrongCode("demo", STRANGER, POOL, known=False, at=T0 - timedelta(days=3))
    world.store.recent.wrong_code("c-0", 2, wrong)
    world.mistyped(STRANGER, POOL, 2, known=False)
    assert isinstance(world.call(STRANGER, POOL).actions[-1], Ask)
