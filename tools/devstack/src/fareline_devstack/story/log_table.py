"""The resulting call log as a table: what an analyst would see of the story."""

from collections.abc import Mapping, Sequence

from rich import box
from rich.console import Console
from rich.padding import Padding
from rich.table import Table

from fareline_devstack.story.call_log import Row
from fareline_devstack.story.people import names

NOTHING = "-"
_DEEDS = {"fallback": "operator", "ask": "greeting"}


def print_log(console: Console, rows: Sequence[Row]) -> None:
    """Print the table under a head of its own."""
    console.print()
    console.rule("[bold]The call log", align="left", style="dim")
    said = (
        "What an analyst finds afterwards: every call, whom it reached, for which order, and why. "
        "Names are put in here; the log has phones, masked for most readers."
    )
    console.print(Padding(said, (0, 0, 0, 1)), style="italic")
    console.print(log_table(rows, names()))


def log_table(rows: Sequence[Row], owners: Mapping[str, str]) -> Table:
    """Return the table of calls, with people's names in place of phones that are in `owners`."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0))
    for name in ("caller", "dialled", "reached", "order"):
        table.add_column(name, no_wrap=True)
    table.add_column("reason", overflow="fold")
    table.add_column("talk", justify="right")
    table.add_column("audio")
    for row in rows:
        table.add_row(*_cells(row, owners))
    return table


def _cells(row: Row, owners: Mapping[str, str]) -> tuple[str, ...]:
    talked = row["talk_s"]
    return (
        _who(row["caller"], owners) if row["caller"] else "withheld",
        row["number"] or NOTHING,
        _who(row["target"], owners) if row["deed"] == "dial" else _DEEDS.get(row["deed"], row["deed"] or NOTHING),
        row["order_id"] or NOTHING,
        (row["reason"] or NOTHING).replace("_", " "),
        f"{talked:.0f} s" if talked else NOTHING,
        row["recording"] or NOTHING,
    )


def _who(phone: str, owners: Mapping[str, str]) -> str:
    return owners.get(phone, phone)
