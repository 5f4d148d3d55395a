"""`dlq list | show | replay | drop`: a command line over the dead letters of one topic, the same for every service."""

import asyncio
import json
import logging
import re
from collections import Counter
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, TypeVar

import typer

from fareline_chassis.clock import utc_now
from fareline_chassis.kafka.dead_letters import DeadLetter, DeadLetterBox, DeadLettersUnavailable, Place, Selection
from fareline_chassis.privacy import redact_phones

_UNAVAILABLE = 1
_USAGE = 2
_SHOWN_BYTES = 64 * 1024
_AGE = re.compile(r"(\d{1,4})([mhd])")
_UNIT = {"m": "minutes", "h": "hours", "d": "days"}
T = TypeVar("T")

Places = Annotated[list[str] | None, typer.Argument(help="Letters by their place in the list, such as 0/17 2/4.")]
Reasons = Annotated[list[str] | None, typer.Option("--reason", help="Only letters with this reason; may be repeated.")]
Since = Annotated[str | None, typer.Option(help="Only letters put aside in the last 30m, 12h or 2d.")]
Everything = Annotated[bool, typer.Option("--all", help="Every letter there is.")]
Yes = Annotated[bool, typer.Option("--yes", help="Do it. Without this the command only says what it would do.")]


@dataclass(frozen=True, slots=True)
class DeadLetterCommands:
    """The commands over one box, which `box` makes when a command runs (it may read settings, and exit)."""

    box: Callable[[], DeadLetterBox]

    def group(self) -> typer.Typer:
        """Return the group `dlq`."""
        app = typer.Typer(help="Work off dead letters: records that could not be used.", no_args_is_help=True)
        app.command("list")(self.list_letters)
        app.command("show")(self.show_letters)
        app.command("replay")(self.replay_letters)
        app.command("drop")(self.drop_letters)
        return app

    def list_letters(
        self,
        *,
        reason: Reasons = None,
        since: Since = None,
        limit: Annotated[int, typer.Option(min=1, help="Show at most so many, the newest.")] = 100,
        as_json: Annotated[bool, typer.Option("--json", help="One JSON object a line.")] = False,
    ) -> None:
        """List the letters nobody has settled: place, time, reason, where from, key, and what was wrong."""
        letters = Selection(reasons=reason or (), since=_since(since)).of(_run(self.box().read()))
        for letter in letters[-limit:]:
            typer.echo(json.dumps(_summary(letter)) if as_json else "  ".join(_summary(letter).values()))
        if not as_json:
            typer.echo(_tally(letters))

    def show_letters(self, places: Annotated[list[str], typer.Argument(help="Which letters, such as 0/17.")]) -> None:
        """Show letters whole: headers and value, phones masked."""
        for letter in self._chosen(places, None, None, everything=False):
            typer.echo(f"{letter.place}")
            for name, value in letter.record.headers:
                typer.echo(f"  {name}: {_text(value)}")
            typer.echo(_text(letter.record.value))

    def replay_letters(
        self,
        places: Places = None,
        *,
        reason: Reasons = None,
        since: Since = None,
        everything: Everything = False,
        yes: Yes = False,
    ) -> None:
        """Send letters again to the topic they came from: the same key, bytes, headers, time and partition.

        Do so once the cause is gone, such as a tenant that was not there yet. What is settled leaves the list.
        Replaying twice does no harm.
        """
        letters = self._chosen(places, reason, since, everything=everything)
        for letter in letters:
            if letter.obstacle:
                typer.echo(f"{letter.place} stays: {letter.obstacle}", err=True)
        sound = [letter for letter in letters if not letter.obstacle]
        self._settle(sound, "replay", self.box().replay, yes=yes)

    def drop_letters(
        self,
        places: Places = None,
        *,
        reason: Reasons = None,
        since: Since = None,
        everything: Everything = False,
        yes: Yes = False,
    ) -> None:
        """Take letters off the list without sending them. Kafka keeps them until their 30 days are over."""
        self._settle(self._chosen(places, reason, since, everything=everything), "drop", self.box().drop, yes=yes)

    def _chosen(
        self, places: Sequence[str] | None, reasons: Sequence[str] | None, since: str | None, *, everything: bool
    ) -> Sequence[DeadLetter]:
        if not (places or reasons or since or everything):
            raise _usage("say which letters: places such as 0/17, --reason, --since or --all")
        try:
            wanted = {Place.parse(text) for text in places or ()}
        except ValueError as error:
            raise _usage(str(error)) from None
        found = Selection(wanted, reasons or (), _since(since)).of(_run(self.box().read()))
        missing = wanted - {letter.place for letter in found}
        if missing:
            raise _usage(f"no unsettled letter at {', '.join(map(str, sorted(missing)))}")
        return found

    def _settle(
        self,
        letters: Sequence[DeadLetter],
        verb: str,
        act: Callable[[Sequence[DeadLetter]], Coroutine[Any, Any, int]],
        *,
        yes: bool,
    ) -> None:
        if not yes:
            for letter in letters:
                typer.echo("  ".join(_summary(letter).values()))
            typer.echo(f"would {verb} {_tally(letters)}; nothing was done, add --yes to do it")
            return
        typer.echo(f"{verb}: {_run(act(letters))} settled")


def _summary(letter: DeadLetter) -> dict[str, str]:
    """Return what a line says of a letter, phones masked."""
    return {
        "place": str(letter.place),
        "at": letter.died_at.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "reason": letter.reason or "?",
        "from": f"{letter.about('topic')}:{letter.about('partition')}/{letter.about('offset')}",
        "key": _text(letter.record.key),
        "detail": redact_phones(letter.about("detail")),
    }


def _tally(letters: Sequence[DeadLetter]) -> str:
    reasons = Counter(letter.reason or "?" for letter in letters)
    parts = ", ".join(f"{reason} {count}" for reason, count in reasons.most_common())
    return f"{len(letters)} letters" + (f" ({parts})" if parts else "")


def _text(value: bytes | None) -> str:
    if value is None:
        return "(null)"
    text = value[:_SHOWN_BYTES].decode(errors="backslashreplace")
    rest = len(value) - _SHOWN_BYTES
    shown = "".join(char if char.isprintable() or char == "\n" else ascii(char)[1:-1] for char in text)
    return redact_phones(shown) + (f" … and {rest} bytes more" if rest > 0 else "")


def _since(text: str | None) -> datetime | None:
    if text is None:
        return None
    found = _AGE.fullmatch(text)
    if found is None:
        raise _usage(f"--since {text!r} is no span such as 30m, 12h or 2d")
    return utc_now().astimezone(UTC) - timedelta(**{_UNIT[found[2]]: int(found[1])})


def _usage(text: str) -> typer.Exit:
    typer.echo(text, err=True)
    return typer.Exit(_USAGE)


def _run(work: Coroutine[Any, Any, T]) -> T:
    # What the client library tells of its attempts would stand among the answers; the last reason is told below.
    logging.disable(logging.CRITICAL)
    try:
        return asyncio.run(work)
    except DeadLettersUnavailable as error:
        typer.echo(f"dead letters cannot be reached: {redact_phones(str(error))}", err=True)
        raise typer.Exit(_UNAVAILABLE) from None
    finally:
        logging.disable(logging.NOTSET)
