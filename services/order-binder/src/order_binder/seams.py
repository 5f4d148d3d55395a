"""Seams: the places where a test may stand between a part and those who use it. Nothing stands there otherwise."""

from typing import Protocol, TypeVar

Part = TypeVar("Part")


class Around(Protocol):
    """Puts something around a part before it is wired, or gives it back as it is.

    Names: `batch` (the handler of order events), `store` (orders, slots, codes), `source` (rows to publish),
    `sender` (the producer of publications), `leases`, `letters` (the producer of dead letters).
    """

    def __call__(self, name: str, part: Part) -> Part:
        """Return what is to be used in place of `part`; it must behave as `part` does, or fail."""


def untouched(name: str, part: Part) -> Part:  # noqa: ARG001 - other seams ask for the name
    """Give every part back as it is."""
    return part
