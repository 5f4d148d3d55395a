"""What a PBX was told to do, in one shape for every PBX, so that the story can say what it expects."""

import enum
from dataclasses import dataclass, field

from fareline_devstack.story.people import names
from fareline_devstack.story.phones import named, readable


class Do(enum.StrEnum):
    """The deed that an answer ends with."""

    DIAL = "dial"
    ASK = "ask"
    FALLBACK = "fallback"
    REJECT = "reject"
    HANGUP = "hangup"
    NOTHING = "nothing"


@dataclass(frozen=True, slots=True)
class Route:
    """One answer. `phone`, `shows` and `recorded` belong to a dial, `target` to a fallback.

    `prompt`, `reason` and `display` are for the reader: PBXs differ in what they are told, so they do not count when
    two routes are compared.
    """

    do: Do
    phone: str | None = None
    shows: str | None = None
    recorded: bool | None = None
    target: str | None = None
    prompt: str | None = field(default=None, compare=False)
    reason: str | None = field(default=None, compare=False)
    display: str | None = field(default=None, compare=False)

    def words(self) -> str:
        """Return the answer in one readable line."""
        said = self._deed()
        return f"{said} ({self.reason})" if self.reason else said

    def _deed(self) -> str:
        match self.do:
            case Do.DIAL:
                recorded = "recorded" if self.recorded else "not recorded"
                return f"ring {named(self.phone or '?', names())}, showing {readable(self.shows or '?')}, {recorded}"
            case Do.ASK:
                return f"play “{self.prompt or 'greeting'}”, wait for a code"
            case Do.FALLBACK:
                return f"hand over to the {self.target}"
            case Do.REJECT:
                return "reject as busy"
            case Do.HANGUP:
                return "hang up"
            case Do.NOTHING:
                return "no instruction"


def dial(phone: str, *, shows: str, recorded: bool = True) -> Route:
    """Return the route that rings `phone` and shows it the number `shows`."""
    return Route(Do.DIAL, phone=phone, shows=shows, recorded=recorded)


def ask() -> Route:
    """Return the route that asks the caller for a code."""
    return Route(Do.ASK, prompt="greeting")


def operator() -> Route:
    """Return the route to the call centre."""
    return Route(Do.FALLBACK, target="operator")
