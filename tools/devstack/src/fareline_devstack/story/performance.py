"""One performance of the story on a console: start what it needs, play it, show the day it made, say how it went."""

import asyncio
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from time import perf_counter

from rich.console import Console

from fareline_contracts.accounts import load_accounts
from fareline_devstack.progress import OnStep, Steps
from fareline_devstack.story.curtain import show_the_day
from fareline_devstack.story.fake_zadarma import FakeZadarma
from fareline_devstack.story.play import StepResult, chapters_of, play
from fareline_devstack.story.report import StoryReport, print_end, readable_time
from fareline_devstack.story.stage import Stage
from fareline_devstack.story.steps import Chapter
from fareline_devstack.story.theatre import open_stage
from fareline_devstack.system import SystemInfo

AS_TOLD, OTHERWISE = 0, 1


@dataclass(frozen=True, slots=True)
class House:
    """A running system, the accounts file it was started with, the small Zadarma, and where its logs are."""

    system: SystemInfo
    accounts_file: Path
    zadarma: FakeZadarma
    logs: Path


OpenHouse = Callable[[OnStep], AbstractContextManager[House]]
TellChapters = Callable[[Stage], Sequence[Chapter]]


def perform(console: Console, open_house: OpenHouse, *, chapters: TellChapters = chapters_of) -> int:
    """Open the house, play the story, close the house; return 0 if all came as told, else 1.

    `open_house` gets a function to say what it is starting and stopping; what it raises passes through.
    """
    began = perf_counter()
    with _open_with_progress(console, open_house) as house:
        results = asyncio.run(_play(console, house, chapters))
        print_end(console, results, house.logs)
    took = timedelta(seconds=perf_counter() - began)
    console.print(f"\nEverything is stopped again, {readable_time(took)} after the start.", highlight=False)
    if any(result.failure for result in results):
        return OTHERWISE
    console.print("`make up` starts the same and leaves it running for you.", highlight=False)
    return AS_TOLD


@contextmanager
def _open_with_progress(console: Console, open_house: OpenHouse) -> Iterator[House]:
    """Show what is being started and, once the house is left in whatever way, what is being stopped."""
    progress: list[Steps] = []

    def say(text: str) -> None:
        progress[-1].step(text)

    house = open_house(say)
    with Steps(console) as starting:
        progress.append(starting)
        opened = house.__enter__()
    try:
        yield opened
    finally:
        console.print()
        with Steps(console) as stopping:
            progress.append(stopping)
            house.__exit__(None, None, None)


async def _play(console: Console, house: House, chapters: TellChapters) -> Sequence[StepResult]:
    accounts = load_accounts(house.accounts_file, demo=True)
    report = StoryReport(console)
    async with open_stage(house.system, accounts, house.zadarma) as stage:
        results = await play(chapters(stage), on_chapter=report.chapter, on_start=report.start, on_end=report.end)
        if not any(result.failure for result in results):
            await show_the_day(console, stage)
    return results
