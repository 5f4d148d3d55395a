"""Steps and chapters: the form in which the story is told."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from fareline_devstack.story.scene import Scene


@dataclass(frozen=True, slots=True)
class Step:
    """One step: a title that stands alone, and how it is played. Playing raises StoryFailed when it goes otherwise."""

    title: str
    play: Callable[[Scene], Awaitable[None]]


class Chapter(Protocol):
    """Steps that belong together, in order; a chapter carries what its steps find out from one to the next."""

    title: str
    about: str

    def steps(self) -> Sequence[Step]:
        """Return the steps in order."""
