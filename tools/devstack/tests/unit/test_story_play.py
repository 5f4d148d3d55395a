"""How the story is played and printed: in order, up to the first step that goes otherwise, which is named."""

import io
from datetime import timedelta

import httpx
import pytest
from rich.console import Console

from fareline_devstack.story.calls import PbxRefused
from fareline_devstack.story.phones import readable
from fareline_devstack.story.play import play
from fareline_devstack.story.report import StoryReport, readable_time, summary
from fareline_devstack.story.routes import Do, Route, ask, dial, operator
from fareline_devstack.story.scene import Exchange, Freshness, Via
from fareline_devstack.story.steps import Step


class Tale:
    """A chapter of given steps."""

    title = "A tale"
    about = "Told in a test."

    def __init__(self, *steps):
        self._steps = steps

    def steps(self):
        return self._steps


async def goes_well(scene):
    scene.note(Exchange(Via.ZADARMA, "driver Oleg calls", "dial Vera", timedelta(milliseconds=7), routing=True))
    scene.fresh.append(Freshness("o-1", timedelta(milliseconds=20), timedelta(milliseconds=31)))
    scene.expect("the call", got=operator(), expected=operator())


async def goes_otherwise(scene):
    scene.expect("the call", got=ask(), expected=dial("+79261234567", shows="+74950000101"))


async def is_refused(scene):
    raise PbxRefused(503, "spool full")


async def finds_nobody(scene):
    raise httpx.ConnectError("refused")


async def told(*steps):
    out = io.StringIO()
    report = StoryReport(Console(file=out, width=80))
    results = await play([Tale(*steps)], on_chapter=report.chapter, on_start=report.start, on_end=report.end)
    return results, out.getvalue()


async def test_steps_are_played_in_order_and_printed_with_question_answer_and_time():
    results, printed = await told(Step("first", goes_well), Step("second", goes_well))
    assert [result.title for result in results] == ["first", "second"]
    assert [result.failure for result in results] == [None, None]
    assert "✓ 1.2 second" in printed
    assert "driver Oleg calls" in printed
    assert "→ dial Vera" in printed
    assert "7 ms" in printed


async def test_a_planted_wrong_expectation_ends_the_story_and_is_named():
    results, printed = await told(Step("first", goes_well), Step("wrong", goes_otherwise), Step("never", goes_well))
    assert [result.title for result in results] == ["first", "wrong"]
    assert "✗ 1.2 wrong" in printed
    assert "ring client Anna +7 926 123-45-67, showing" in printed
    assert "wait for a code" in printed
    assert str(results[-1].failure).startswith("step “wrong”: the call: expected ring client Anna")


@pytest.mark.parametrize(("step", "what"), [(is_refused, "503: spool full"), (finds_nobody, "ConnectError")])
async def test_a_service_that_does_not_answer_fails_the_step(step, what):
    results, printed = await told(Step("asked in vain", step))
    assert results[-1].failure.step == "asked in vain"
    assert what in printed


async def test_no_line_is_wider_than_the_console():
    async def long_winded(scene):
        scene.note(Exchange(Via.BINDING, "words " * 40, "more words " * 40, timedelta(seconds=2)))

    _, printed = await told(Step("a title that is longer than any title has a right to be " * 2, long_winded))
    assert max(len(line) for line in printed.splitlines()) <= 80


async def test_the_summary_counts_steps_answers_and_freshness():
    results, _ = await told(Step("first", goes_well))
    said = " ".join(summary(results, took=timedelta(seconds=3)))
    assert "All 1 steps went as told, in 3.0 s" in said
    assert "slowest after 7 ms" in said
    assert "31 ms at most" in said


def test_routes_are_compared_by_what_the_caller_gets_not_by_how_it_is_explained():
    assert Route(Do.ASK, prompt="extension", reason="ambiguous") == ask()
    assert dial("+79261234567", shows="+74950000101") != dial("+79261234567", shows="+74950000102")


@pytest.mark.parametrize(
    ("phone", "words"), [("+79031112233", "+7 903 111-22-33"), ("+442071234567", "+442071234567"), ("100", "100")]
)
def test_phones_are_written_as_people_write_them(phone, words):
    assert readable(phone) == words


@pytest.mark.parametrize(("seconds", "words"), [(0.0004, "0.4 ms"), (0.0123, "12 ms"), (3.21, "3.2 s")])
def test_times_have_a_sensible_unit(seconds, words):
    assert readable_time(timedelta(seconds=seconds)) == words
