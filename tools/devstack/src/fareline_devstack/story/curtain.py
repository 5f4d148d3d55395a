"""After the last chapter: the call log, the day in figures, and one recording to look at."""

from rich.console import Console
from rich.padding import Padding

from fareline_devstack.story.call_log import CallLog, Row
from fareline_devstack.story.day_figures import print_figures
from fareline_devstack.story.log_table import print_log
from fareline_devstack.story.people import names
from fareline_devstack.story.stage import Stage
from fareline_devstack.story.waveform import print_waveform


async def show_the_day(console: Console, stage: Stage) -> None:
    """Ask the call log for everything since the story began and print it."""
    rows = await stage.call_log.calls(stage.opened_at)
    print_log(console, rows)
    print_figures(console, await stage.call_log.figures(stage.opened_at, group_by="reason"))
    for row in rows:
        if row["recording"] == "stored":
            await _show_recording(console, stage.call_log, row)


async def _show_recording(console: Console, log: CallLog, row: Row) -> None:
    owners = names()
    caller, callee = (owners.get(phone, phone) for phone in (row["caller"], row["target"]))
    console.print()
    console.rule("[bold]The recording", align="left", style="dim")
    for part in await log.recordings(str(row["call_id"])):
        seconds = float(part["duration_s"])
        said = (
            f"{caller} calls {callee} about {row['order_id']}: {seconds:.1f} s, a channel each, drawn from the peaks "
            "that were found when the file was checked."
        )
        console.print(Padding(said, (0, 0, 1, 1)), style="italic")
        print_waveform(console, await log.peaks(str(part["recording_id"])), seconds, (str(caller), str(callee)))
