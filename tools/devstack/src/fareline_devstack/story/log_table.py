"""The resulting call log as a table: what an analyst would see of the story."""

from collections.abc import Sequence

from rich import box
from rich.table import Table

from fareline_devstack.story.call_log import Row

NOTHING = "-"


def log_table(rows: Sequence[Row]) -> Table:
    """Return the table of calls, oldest first."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0), title="The call log", title_justify="left")
    for name in ("caller", "dialled", "order", "answer", "reason"):
        table.add_column(name, overflow="fold")
    table.add_column("talk", justify="right")
    table.add_column("audio")
    for row in rows:
        table.add_row(*_cells(row))
    return table


def _cells(row: Row) -> tuple[str, ...]:
    talked = row.get("talk_s")
    recording = row.get("recording")
    return (
        row.get("caller") or "withheld",
        row.get("number") or NOTHING,
        row.get("order_id") or NOTHING,
        row.get("deed") or NOTHING,
        row.get("reason") or NOTHING,
        f"{talked:.0f} s" if talked else NOTHING,
        NOTHING if recording in (None, "none") else str(recording),
    )
