"""Print the story while it is played, for somebody who has never seen the project; readable from 80 columns on."""

from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from statistics import median

from rich.console import Console
from rich.markup import escape
from rich.padding import Padding
from rich.status import Status
from rich.table import Table

from fareline_devstack.story.play import StepResult
from fareline_devstack.story.scene import Exchange, Via
from fareline_devstack.story.steps import Chapter, Step

WIDEST = 110
_INDENT = 5
_LEGEND = (
    (Via.KAFKA, "the taxi platform writes an order's new state to Kafka"),
    (Via.BINDING, "an app asks which number driver and client may call"),
    (Via.ZADARMA, "Zadarma, a cloud PBX, asks where a call should go"),
    (Via.GENERIC, "another PBX asks the same by Fareline's own contract"),
    (Via.LOG, "an analyst looks at calls and recordings"),
)
_MILLISECOND = timedelta(milliseconds=1)


class StoryReport:
    """Hears of chapters and steps as `play` tells them; on a terminal a spinner shows what is being played."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._chapter = 0
        self._step = 0
        self._status: Status | None = None

    def chapter(self, chapter: Chapter) -> None:
        """Print the head of a chapter."""
        self._chapter, self._step = self._chapter + 1, 0
        self._console.print()
        self._console.rule(f"[bold]{self._chapter}. {escape(chapter.title)}", align="left", style="dim")
        self._console.print(Padding(escape(chapter.about), (0, 0, 0, 1)), style="italic")

    def start(self, step: Step) -> None:
        """Show that a step is being played."""
        self._step += 1
        if self._console.is_terminal:
            self._status = self._console.status(escape(step.title))
            self._status.start()

    def end(self, result: StepResult) -> None:
        """Print what was asked and answered in a step, and how it came out."""
        if self._status:
            self._status.stop()
            self._status = None
        sign = "[bold green]✓[/]" if result.failure is None else "[bold red]✗[/]"
        self._console.print()
        head = Table.grid(padding=(0, 1), expand=True)
        head.add_column(width=1)
        head.add_column(width=3)
        head.add_column(ratio=1)
        head.add_column(justify="right")
        number, title = f"{self._chapter}.{self._step}", f"[bold]{escape(result.title)}[/]"
        head.add_row(sign, number, title, f"[dim]{readable_time(result.took)}[/]")
        self._console.print(head)
        if result.exchanges:
            self._console.print(Padding(_exchanges(result.exchanges), (0, 0, 0, _INDENT + 1)))
        if result.failure:
            self._fail(result)

    def _fail(self, result: StepResult) -> None:
        if result.failure is None:
            return
        lines = Table.grid(padding=(0, 1))
        lines.add_row("[red]not as told[/]", escape(result.failure.what))
        lines.add_row("[red]expected[/]", escape(result.failure.expected))
        lines.add_row("[red]got[/]", escape(result.failure.got))
        self._console.print(Padding(lines, (0, 0, 0, _INDENT + 1)))


def print_introduction(console: Console) -> None:
    """Say what is about to be seen."""
    console.print("[bold]Fareline[/] - one number between driver and client\n", highlight=False)
    console.print(
        "This starts a real Kafka, a real PostgreSQL and Fareline's three services on this machine, then plays a taxi "
        "platform and two PBXs against their public interfaces. People and phones are invented. In what follows:",
        highlight=False,
    )
    legend = Table.grid(padding=(0, 2, 0, 0))
    legend.add_column(width=11, style="cyan")
    for via, meaning in _LEGEND:
        legend.add_row(via, meaning)
    console.print(Padding(legend, (0, 0, 1, 1)))


def print_end(console: Console, results: Sequence[StepResult], logs: Path) -> None:
    """Print the summary or, after a step that went otherwise, its name and where the logs are."""
    console.print()
    console.rule(style="dim")
    failed = next((result.failure for result in results if result.failure), None)
    if failed is None:
        took = sum((result.took for result in results), timedelta())
        for sentence in summary(results, took=took):
            console.print(escape(sentence), highlight=False)
        return
    console.print(f"[bold red]The story went otherwise at step “{escape(failed.step)}”[/]", highlight=False)
    said = f"{failed.what}: expected {failed.expected}; got {failed.got}"
    console.print(escape(said), highlight=False)
    for log in sorted(logs.glob("*.log")):
        console.print(f"  log: {escape(str(log))}", soft_wrap=True, highlight=False)


def summary(results: Sequence[StepResult], *, took: timedelta) -> list[str]:
    """Return the closing sentences: how many steps, how fast the answers were, how fresh the data."""
    said = [f"All {len(results)} steps went as told, in {readable_time(took)}."]
    waits = [exchange.took for result in results for exchange in result.exchanges if exchange.routing]
    if waits:
        said.append(
            f"PBXs asked {len(waits)} times where a call should go: half the answers came within "
            f"{readable_time(_half(waits))}, the slowest after {readable_time(max(waits))}."
        )
    fresh = [one.routable for result in results for one in result.fresh]
    if fresh:
        said.append(
            f"From an order event until calls followed it: {readable_time(_half(fresh))} mostly, "
            f"{readable_time(max(fresh))} at most."
        )
    return said


def readable_time(took: timedelta) -> str:
    """Return a duration with a sensible unit: `0.4 ms`, `12 ms`, `3.2 s`."""
    if took >= timedelta(seconds=1):
        return f"{took.total_seconds():.1f} s"
    return f"{took / _MILLISECOND:.{0 if took >= _MILLISECOND else 1}f} ms"


def _half(times: Sequence[timedelta]) -> timedelta:
    return timedelta(seconds=median(time.total_seconds() for time in times))


def _exchanges(exchanges: Sequence[Exchange]) -> Table:
    grid = Table.grid(padding=(0, 2, 0, 0), expand=True)
    grid.add_column(width=11, style="cyan")
    grid.add_column(ratio=1)
    grid.add_column(justify="right", vertical="bottom", style="dim")
    for exchange in exchanges:
        text = f"{escape(exchange.asked)}\n[bold]→[/] {escape(exchange.answered)}"
        grid.add_row(exchange.via, text, readable_time(exchange.took))
    return grid
