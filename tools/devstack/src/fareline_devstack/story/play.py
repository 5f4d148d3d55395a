"""Play the chapters one step after another and say what came of each."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from time import perf_counter

import httpx

from fareline_devstack.story.afterwards import Afterwards
from fareline_devstack.story.binder import BinderRefused
from fareline_devstack.story.call_log import LogRefused
from fareline_devstack.story.calls import PbxRefused
from fareline_devstack.story.one_number import OneNumber
from fareline_devstack.story.orders import TaxiOrder
from fareline_devstack.story.people import ANNA
from fareline_devstack.story.pool import Pool
from fareline_devstack.story.recording import Recording
from fareline_devstack.story.ride import Ride
from fareline_devstack.story.scene import Exchange, Freshness, Scene, StoryFailed
from fareline_devstack.story.stage import Stage
from fareline_devstack.story.steps import Chapter, Step


@dataclass(frozen=True, slots=True)
class StepResult:
    """A step that was played. `failure` is None when everything came as told."""

    chapter: str
    title: str
    exchanges: tuple[Exchange, ...]
    fresh: tuple[Freshness, ...]
    took: timedelta
    failure: StoryFailed | None = None


def chapters_of(stage: Stage) -> Sequence[Chapter]:
    """Return the whole story."""
    ride = Ride(TaxiOrder("demo", "o-1001", ANNA))
    return (OneNumber(stage), Pool(stage, ride), Recording(stage, ride), Afterwards(stage, ride))


async def play(
    chapters: Sequence[Chapter],
    *,
    on_chapter: Callable[[Chapter], None] = lambda _: None,
    on_start: Callable[[Step], None] = lambda _: None,
    on_end: Callable[[StepResult], None] = lambda _: None,
) -> Sequence[StepResult]:
    """Play all steps, up to the first that fails, and return what came of them; the callbacks hear of each in time."""
    results: list[StepResult] = []
    for chapter in chapters:
        on_chapter(chapter)
        for step in chapter.steps():
            on_start(step)
            result = await _play_step(chapter, step)
            results.append(result)
            on_end(result)
            if result.failure:
                return results
    return results


async def _play_step(chapter: Chapter, step: Step) -> StepResult:
    scene, began = Scene(step.title), perf_counter()
    failure = None
    try:
        await step.play(scene)
    except StoryFailed as failed:
        failure = failed
    except (BinderRefused, LogRefused, PbxRefused, httpx.HTTPError, OSError) as error:
        what = f"{type(error).__name__}: {error}"
        failure = StoryFailed(step=step.title, what="a service", got=what, expected="an answer")
        failure.__cause__ = error
    took = timedelta(seconds=perf_counter() - began)
    return StepResult(chapter.title, step.title, tuple(scene.exchanges), tuple(scene.fresh), took, failure)
