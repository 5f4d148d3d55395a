"""docs/policy.md names every figure that a fleet may set, with the default that the code has."""

import re
from pathlib import Path

from fareline_contracts.fields import Record
from fareline_contracts.tenants import Limit, Policy

PAGE = Path(__file__).parents[2] / "docs" / "policy.md"
ROW = re.compile(r"^\| `([a-z_.]+)` \| ([^|]+) \|", re.MULTILINE)


def figures(record, above=""):
    """Yield the path and the default of each figure, as the page writes them."""
    for name in type(record).model_fields:
        value = getattr(record, name)
        if isinstance(value, Limit):
            yield above + name, f"{value.count} in {value.minutes}"
        elif isinstance(value, Record):
            yield from figures(value, f"{above}{name}.")
        else:
            yield above + name, written(value)


def written(value):
    if value is None:
        return "null"
    if isinstance(value, bool):
        return str(value).lower()
    return ", ".join(value) or "none" if isinstance(value, tuple) else str(value)


def told(text):
    return dict(ROW.findall(text.split("## Policy")[1].split("\n## ")[0]))


def test_every_figure_is_told_with_its_default():
    assert told(PAGE.read_text()) == dict(figures(Policy()))


def test_a_planted_difference_is_found():
    planted = PAGE.read_text().replace("| `code_digits` | 6 |", "| `code_digits` | 7 |")
    assert told(planted)["code_digits"] != dict(figures(Policy()))["code_digits"]
