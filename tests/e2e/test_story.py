"""The demo's story against real processes: each step is a test, and a story that goes otherwise says where."""

import asyncio
import io
from contextlib import nullcontext

import pytest
from rich.console import Console

from fareline_contracts.accounts import load_accounts
from fareline_devstack.story.people import SOLO_NUMBER, Person
from fareline_devstack.story.performance import perform
from fareline_devstack.story.play import chapters_of, play
from fareline_devstack.story.routes import dial
from fareline_devstack.story.steps import Step
from fareline_devstack.story.theatre import open_stage

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(600)]

TITLES = [step.title for chapter in chapters_of(None) for step in chapter.steps()]


@pytest.fixture(scope="module")
def results(house):
    async def played():
        accounts = load_accounts(house.accounts_file, demo=True)
        async with open_stage(house.system, accounts, house.zadarma) as stage:
            return await play(chapters_of(stage))

    return {result.title: result for result in asyncio.run(played())}


@pytest.mark.parametrize("title", TITLES)
def test_the_story_goes_as_told(results, title):
    if title not in results:
        pytest.fail("not reached: an earlier step went otherwise", pytrace=False)
    if results[title].failure:
        pytest.fail(str(results[title].failure), pytrace=False)


LAZY = Person("", "a driver without an order", "+79035559999")


class Wrong:
    """A chapter that expects what cannot be; the story must notice it."""

    title = "A planted error"
    about = "Somebody who drives nobody is connected to a client."

    def __init__(self, stage):
        self._stage = stage

    def steps(self):
        return (Step("A driver without an order reaches a client", self._expect_too_much),)

    async def _expect_too_much(self, scene):
        call = self._stage.zadarma.call(LAZY.phone, SOLO_NUMBER)
        somebody = dial("+79260000000", shows=SOLO_NUMBER)
        await self._stage.rings(scene, call, LAZY, expected=somebody, reason="single_order")


def test_a_planted_wrong_expectation_makes_the_demo_fail_and_name_the_step(house):
    out = io.StringIO()
    console = Console(file=out, width=100)
    assert perform(console, lambda _: nullcontext(house), chapters=lambda stage: [Wrong(stage)]) == 1
    said = " ".join(out.getvalue().split())
    assert "otherwise at step “A driver without an order reaches a client”" in said
    assert "expected ring +7 926 000-00-00, showing +7 495 000-02-01, recorded; got play" in said
    assert "call-router.log" in said
