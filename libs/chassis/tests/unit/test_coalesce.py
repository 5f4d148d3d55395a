import asyncio
from collections.abc import Sequence

import pytest

from fareline_chassis.coalesce import Coalesced


class Desk:
    """Doubles numbers; `calls` are the questions of each call, `hold` keeps a call from ending."""

    def __init__(self) -> None:
        self.calls: list[list[int]] = []
        self.hold = asyncio.Event()
        self.hold.set()
        self.fail: Exception | None = None

    async def __call__(self, questions: Sequence[int]) -> list[int]:
        self.calls.append(list(questions))
        await self.hold.wait()
        if self.fail:
            raise self.fail
        return [2 * question for question in questions]


async def turns(count: int = 5) -> None:
    for _ in range(count):
        await asyncio.sleep(0)


async def test_what_is_asked_together_is_one_call_and_each_gets_his_own_answer() -> None:
    desk = Desk()
    ask = Coalesced(desk)

    assert await asyncio.gather(ask(1), ask(2), ask(3)) == [2, 4, 6]
    assert await ask(4) == 8
    assert desk.calls == [[1, 2, 3], [4]]


async def test_who_asks_while_a_call_runs_is_answered_by_the_next() -> None:
    desk = Desk()
    desk.hold.clear()
    ask = Coalesced(desk)
    first = asyncio.create_task(ask(1))
    await turns()
    late = [asyncio.create_task(ask(number)) for number in (2, 3)]
    await turns()

    assert desk.calls == [[1]]
    desk.hold.set()
    assert await asyncio.gather(first, *late) == [2, 4, 6]
    assert desk.calls == [[1], [2, 3]]


async def test_an_error_is_told_to_those_who_share_the_call_and_to_nobody_else() -> None:
    desk = Desk()
    desk.fail = ConnectionError("gone")
    ask = Coalesced(desk)
    found = await asyncio.gather(ask(1), ask(2), return_exceptions=True)
    assert [str(error) for error in found] == ["gone", "gone"]

    desk.fail = None
    assert await ask(3) == 6


async def test_one_who_gives_up_takes_nobody_with_him() -> None:
    desk = Desk()
    desk.hold.clear()
    ask = Coalesced(desk)
    impatient, patient = asyncio.create_task(ask(1)), asyncio.create_task(ask(2))
    await turns()
    waiting = asyncio.create_task(ask(3))
    await turns()
    impatient.cancel()
    waiting.cancel()
    desk.hold.set()

    assert await patient == 4
    await turns()
    assert desk.calls == [[1, 2]]


async def test_too_few_answers_are_an_error_of_all() -> None:
    async def one(questions: Sequence[int]) -> list[int]:
        return [0]

    ask = Coalesced(one)
    found = await asyncio.wait_for(asyncio.gather(ask(1), ask(2), return_exceptions=True), 30)
    assert all(isinstance(error, ValueError) for error in found)


async def test_when_the_loop_ends_nobody_waits_for_ever() -> None:
    desk = Desk()
    desk.hold.clear()
    ask = Coalesced(desk)
    first = asyncio.create_task(ask(1))
    await turns()
    second = asyncio.create_task(ask(2))
    await turns()
    assert ask._answering is not None
    ask._answering.cancel()
    for task in (first, second):
        with pytest.raises(asyncio.CancelledError):
            await asyncio.wait_for(task, 30)
