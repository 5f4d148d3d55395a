"""The comparison of the replica with order-binder."""

import asyncio
from datetime import timedelta

import pytest
from router_use import Desk, ScriptedBinder
from router_world import C1, D1, D2, POOL, STRANGER, World, binding

from call_router.domain.calls import QuestionKind
from call_router.ports import Found, Wanted
from call_router.usecases.compare import Compare
from call_router.usecases.decide import Decide

WANTED = Wanted(("demo",), POOL, D1, None)


class Bench:
    def __init__(self, *, idle=True, every=1):
        self.world, self.binder, self.results = World(), ScriptedBinder(), []
        self.compare = Compare(
            self.binder,
            self.world.store,
            lambda: self.world.now,
            may_sample=lambda: idle,
            on_result=self.results.append,
            every=every,
            settles=timedelta(milliseconds=1),
        )


@pytest.mark.parametrize(
    ("ours", "theirs", "result"),
    [
        ([binding()], [binding()], "same"),
        ([], [], "same"),
        ([], [binding()], "missing"),
        ([binding()], [binding(revision=2)], "behind"),
        ([binding(revision=2)], [binding()], "same"),
        ([binding()], [], "left_over"),
        ([binding(number="+74950000102")], [], "same"),
        ([binding(driver=D2)], [], "same"),
    ],
)
async def test_differences_have_names(ours, theirs, result):
    bench = Bench()
    for one in ours:
        bench.world.store.put_binding(one)
    bench.binder.found = Found(tuple(theirs))
    await bench.compare.compare(WANTED)
    assert bench.results == [result]


async def test_what_has_arrived_meanwhile_is_no_difference():
    bench = Bench()
    bench.binder.found = Found((binding(),))
    comparing = asyncio.create_task(bench.compare.compare(WANTED))
    await asyncio.sleep(0)
    bench.world.store.put_binding(binding())
    await comparing
    assert bench.results == ["same"]


async def test_an_order_binder_that_does_not_answer_is_no_difference():
    bench = Bench()
    await bench.compare.compare(WANTED)
    assert bench.results == []


async def test_one_in_so_many_is_compared_and_one_at_a_time():
    bench = Bench(every=10)
    assert [bench.compare.due() for _ in range(30)].count(True) == 3
    bench.compare.offer(WANTED)
    bench.compare.offer(WANTED)
    assert not any(bench.compare.due() for _ in range(10)), "one is waiting already"
    bench.binder.found = Found(())
    task = asyncio.create_task(bench.compare.run())
    async with asyncio.timeout(30):
        while not bench.results:
            await asyncio.sleep(0.01)
    task.cancel()
    assert len(bench.binder.asked) == 1


async def test_nothing_is_compared_while_calls_need_the_time():
    bench = Bench(idle=False)
    assert not any(bench.compare.due() for _ in range(10))


async def test_certain_answers_are_offered_and_uncertain_ones_asked():
    desk, bench = Desk(), Bench()
    desk.world.put(binding())
    decide = Decide(desk.world.store, desk.data, desk.binder, desk.clock, samples=bench.compare)
    await decide(desk.world.question(QuestionKind.STARTED, D1, POOL))
    assert desk.binder.asked == []
    assert bench.compare._next.get_nowait() == WANTED
    await decide(desk.world.question(QuestionKind.STARTED, STRANGER, POOL))
    assert len(desk.binder.asked) == 1
    assert bench.compare._next.empty()


async def test_nobody_waits_for_order_binder_while_there_is_too_much_to_do():
    desk = Desk()
    desk.binder.found = Found((binding(driver=STRANGER, client=C1),))
    hurried = Decide(desk.world.store, desk.data, desk.binder, desk.clock, may_ask=lambda: False)
    decision = await hurried(desk.world.question(QuestionKind.STARTED, STRANGER, POOL))
    assert (decision.reason, desk.binder.asked) == ("unknown_caller", [])
