"""The day's statistics as a table: what an analyst asks first thing in the morning."""

from collections.abc import Mapping, Sequence
from typing import Any

from rich import box
from rich.console import Console
from rich.padding import Padding
from rich.table import Table

NOTHING = "-"
_SAID = (
    "The same calls summed up by why they went where they went, by GET /v1/calls/stats: each measure is defined once, "
    "in SQL, for this table and for every dashboard. In this story one call is talked out; the others stop once the "
    "PBX knows whom to ring."
)


def print_figures(console: Console, groups: Sequence[Mapping[str, Any]]) -> None:
    """Print the measures by reason under a head of their own."""
    console.print()
    console.rule("[bold]The day in figures", align="left", style="dim")
    console.print(Padding(_SAID, (0, 0, 0, 1)), style="italic")
    console.print(figures_table(groups))


def figures_table(groups: Sequence[Mapping[str, Any]]) -> Table:
    """Return the table, the most frequent reason first."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0))
    table.add_column("reason", overflow="fold", vertical="bottom")
    for name in ("calls", "answered", "answer\nrate", "talk", "to\nanswer", "call\ncentre", "audio\nkept"):
        table.add_column(name, justify="right", no_wrap=True)
    for group in sorted(groups, key=lambda group: (-group["attempts"], group["key"] or "")):
        table.add_row(*_cells(group))
    return table


def _cells(group: Mapping[str, Any]) -> tuple[str, ...]:
    kept, due = group["recordings_stored"], group["recordings_due"]
    return (
        (group["key"] or NOTHING).replace("_", " "),
        str(group["attempts"]),
        str(group["answered"]) if group["ended"] else NOTHING,
        _percent(group["answer_rate"]),
        _seconds(group["talk_s"]),
        _seconds(group["answer_s_p50"]),
        _percent(group["fallback_rate"]),
        f"{kept} of {due}" if due else NOTHING,
    )


def _percent(rate: float | None) -> str:
    return NOTHING if rate is None else f"{rate:.0%}"


def _seconds(value: float | None) -> str:
    return f"{value:.1f} s" if value else NOTHING
