"""Many small questions, answered by few calls: who asks while a call runs shares the next one with the others."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, TypeVar

Question = TypeVar("Question")
Answer = TypeVar("Answer")


class Coalesced(Generic[Question, Answer]):
    """One call at a time, for everything asked in the same turn of the loop or since the last call began.

    An answer is never older than its question: whoever asks while a call runs waits for the next one. So twelve
    publishers that one notification wakes read the database once.
    """

    def __init__(self, answer_all: Callable[[Sequence[Question]], Awaitable[Sequence[Answer]]]) -> None:
        """`answer_all` returns an answer to each question, in their order; what it raises is raised to all of them."""
        self._answer_all = answer_all
        self._asked: list[tuple[Question, asyncio.Future[Answer]]] = []
        self._answering: asyncio.Task[None] | None = None

    async def __call__(self, question: Question) -> Answer:
        """Return the answer to `question`. Raises what the call raised."""
        answer: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        self._asked.append((question, answer))
        if self._answering is None:
            self._answering = asyncio.create_task(self._work())
        return await answer

    async def _work(self) -> None:
        try:
            while self._asked:
                asked, self._asked = self._asked, []
                await self._settle([(question, answer) for question, answer in asked if not answer.done()])
        finally:
            self._answering = None

    async def _settle(self, asked: Sequence[tuple[Question, "asyncio.Future[Answer]"]]) -> None:
        if not asked:
            return
        try:
            answers = await self._answer_all([question for question, _ in asked])
            pairs = list(zip(asked, answers, strict=True))
        except Exception as error:  # noqa: BLE001 - it is the askers' to judge
            for _, answer in asked:
                if not answer.done():
                    answer.set_exception(error)
            return
        except asyncio.CancelledError:
            for _, answer in [*asked, *self._asked]:
                answer.cancel()
            raise
        for (_, answer), found in pairs:
            if not answer.done():
                answer.set_result(found)
