"""Tell what is going on while things start: to nobody, or to a person by a spinner or, without a terminal, by lines."""

import time
from collections.abc import Callable
from types import TracebackType

from rich.console import Console
from rich.status import Status

OnStep = Callable[[str], None]


def silent(_step: str) -> None:
    """Tell nobody."""


class Steps:
    """A context manager whose `step` is an `OnStep`: the running step spins, a finished one stays with its time."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._status = Status("", console=console)
        self._current: str | None = None
        self._since = 0.0

    def __enter__(self) -> "Steps":
        self._status.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._finish("[red]✗[/]" if error else "[green]✓[/]")
        self._status.stop()

    def step(self, text: str) -> None:
        """Say that `text` begins; what was going on before is done."""
        self._finish("[green]✓[/]")
        self._current, self._since = text, time.monotonic()
        self._status.update(text)

    def _finish(self, mark: str) -> None:
        if self._current is not None:
            took = time.monotonic() - self._since
            self._console.print(f" {mark} {self._current} [dim]{took:.1f} s[/]", highlight=False)
        self._current = None
