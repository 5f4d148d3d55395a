"""What a step leaves behind: exchanges for the reader, expectations that held, and the one that did not."""

from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from typing import Protocol, runtime_checkable


class Via(StrEnum):
    """The public interface that an exchange went through."""

    KAFKA = "order event"
    BINDING = "binding API"
    ZADARMA = "Zadarma"
    GENERIC = "own PBX"
    LOG = "call log"


@dataclass(frozen=True, slots=True)
class Exchange:
    """One thing asked and what was answered, in words, and how long the answer took."""

    via: Via
    asked: str
    answered: str
    took: timedelta
    routing: bool = False
    """Whether it was a PBX's question, which a caller waits for."""


@dataclass(frozen=True, slots=True)
class Freshness:
    """How long after an order event its binding could be read, and a call was routed by it."""

    order_id: str
    bound: timedelta
    routable: timedelta


@runtime_checkable
class Wordy(Protocol):
    """Something that can say itself in one line."""

    def words(self) -> str:
        """Return the line."""


class StoryFailed(Exception):
    """A step got something else than the story tells. The message names the step, what was expected and what came."""

    def __init__(self, *, step: str, what: str, got: object, expected: object) -> None:
        self.step = step
        self.what = what
        self.got = _said(got)
        self.expected = _said(expected)
        super().__init__(f"step “{step}”: {what}: expected {self.expected}; got {self.got}")


@dataclass(slots=True)
class Scene:
    """The record of one step while it is played."""

    step: str
    exchanges: list[Exchange] = field(default_factory=list)
    fresh: list[Freshness] = field(default_factory=list)

    def note(self, exchange: Exchange) -> None:
        """Keep an exchange for the reader."""
        self.exchanges.append(exchange)

    def expect(self, what: str, *, got: object, expected: object) -> None:
        """Raise StoryFailed unless `got` equals `expected`; `what` says in words what is compared."""
        if got != expected:
            raise StoryFailed(step=self.step, what=what, got=got, expected=expected)

    def expect_that(self, what: str, *, holds: bool, got: object, expected: str) -> None:
        """Raise StoryFailed unless the claim holds; `expected` is the claim in words."""
        if not holds:
            raise StoryFailed(step=self.step, what=what, got=got, expected=expected)


def _said(value: object) -> str:
    return value.words() if isinstance(value, Wordy) else str(value)
