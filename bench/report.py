"""How a benchmark says what it found."""

from collections.abc import Sequence
from statistics import median


def figures(name: str, unit: str, values: Sequence[float]) -> str:
    """Return a line with minimum, median and maximum of one measured thing."""
    low, high = min(values), max(values)
    return f"  {name:<34} min {low:>10,.1f}  median {median(values):>10,.1f}  max {high:>10,.1f} {unit}"


def verdict(identity: str, what: str, ratio: float, *, goal: float) -> str:
    """Return the line `BENCH …` of a ratio that should be at least `goal`."""
    return f"BENCH {identity} {what} {ratio:.2f} goal >={goal} {'met' if ratio >= goal else 'missed'}"


def at_most(identity: str, what: str, ratio: float, *, goal: float) -> str:
    """Return the line `BENCH …` of a ratio that should be at most `goal`."""
    return f"BENCH {identity} {what} {ratio:.2f} goal <={goal} {'met' if ratio <= goal else 'missed'}"
