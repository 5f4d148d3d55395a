"""What may be asked of the call log over HTTP: the parameters, checked, as a filter."""

import re
from datetime import UTC, datetime
from typing import Annotated, Literal
from zoneinfo import ZoneInfo

import orjson
from pydantic import AfterValidator, AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field

from fareline_chassis.auth import Grant
from fareline_chassis.problems import Problem
from recording_ingest.domain.search import MOST, BadQuestion, CallFilter, period
from recording_ingest.inbound.access import tenants_of
from recording_ingest.inbound.cursors import Cursors
from recording_ingest.inbound.words import Direction, Disposition, Reason, Recording, Source

_DATE = re.compile(r"\d{4}-\d\d-\d\d[Tt ]")
_NO_ZONE = re.compile(r"(posix|right)/|(Factory|localtime|posixrules)$")
"""What lies beside the zones: some machine's own, and zones that count leap seconds."""
_PHONE = r"^\s*\+?[1-9][0-9]{4,14}\s*$"
_NOT_COMPARED = {"cursor", "limit"}
_SAME = ("order_id", "disposition", "reason", "source", "direction", "recording", "driver_id", "client_id",
         "min_talk_s", "updated_since")  # fmt: skip


def _known_zone(name: str) -> str:
    try:
        known = not _NO_ZONE.match(name) and ZoneInfo(name)
    except (KeyError, OSError, ValueError):
        known = False
    if not known:
        raise ValueError("not a time zone of the IANA database, such as Europe/Moscow")
    return name


def _written_out(value: object) -> object:
    """Refuse counts of seconds, or of milliseconds: which of both was meant, nobody can tell."""
    if isinstance(value, str) and _DATE.match(value):
        return value
    raise ValueError("not a time as in RFC 3339, such as 2026-11-24T00:00:00Z")


def _e164(number: str) -> str:
    """Return the number with its plus sign, which many clients leave unescaped and so turn into a space."""
    if not re.match(_PHONE, number):
        raise ValueError("not a phone in full: the country's code, then the rest, 5 to 15 digits altogether")
    return f"+{number.strip().lstrip('+')}"


EARLIEST, LATEST = datetime(2000, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC)
Instant = Annotated[AwareDatetime, Field(ge=EARLIEST, le=LATEST), BeforeValidator(_written_out)]
Word = Annotated[str, Field(min_length=1, max_length=256, pattern=r"^[^\x00]*$")]
Zone = Annotated[str, Field(max_length=64, pattern=r"^[A-Za-z0-9_+\-/]+$"), AfterValidator(_known_zone)]
Number = Annotated[str, Field(max_length=64, json_schema_extra={"pattern": _PHONE}), AfterValidator(_e164)]


class Filters(BaseModel):
    """The filters of the call log; an unknown one is refused."""

    model_config = ConfigDict(extra="forbid")

    since: Annotated[
        Instant | None,
        Field(
            description="Calls started at or after; default 24 h before `until`, at most 31 days back.",
            examples=["2026-11-24T00:00:00Z"],
        ),
    ] = None
    until: Annotated[
        Instant | None,
        Field(description="Calls started before; default now.", examples=["2026-11-25T00:00:00Z"]),
    ] = None
    tenant: Annotated[Word | None, Field(examples=["demo"])] = None
    number: Annotated[
        Number | None, Field(description="The proxy number dialled, E.164.", examples=["+74950000101"])
    ] = None
    order_id: Annotated[Word | None, Field(examples=["o-1001"])] = None
    disposition: Annotated[Disposition | None, Field(description="How the call ended.")] = None
    reason: Annotated[Reason | None, Field(description="Why the call went where it went.", examples=["pair"])] = None
    source: Annotated[Source | None, Field(description="Whose data the decision rests on.")] = None
    direction: Annotated[Direction | None, Field(description="Who called whom.")] = None
    recording: Annotated[Recording | None, Field(description="The worst state of its parts.")] = None
    driver_id: Annotated[Word | None, Field(examples=["d-5"])] = None
    client_id: Annotated[Word | None, Field(examples=["c-77"])] = None
    min_talk_s: Annotated[float | None, Field(ge=0, allow_inf_nan=False)] = None
    updated_since: Annotated[Instant | None, Field(description="Rows changed since: for incremental pulls.")] = None

    def phones(self) -> list[str]:
        """Return whom the question is about, E.164: only a search names anybody."""
        return []


class CallQuestion(Filters):
    """The filters, and which page."""

    cursor: Annotated[str | None, Field(min_length=1, max_length=1200, description="`next` of the page before.")] = None
    limit: Annotated[int, Field(ge=1, le=MOST)] = 100


class CallSearch(CallQuestion):
    """The same with people's phones, which have no place in a URL. Send every page's question whole again."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{"since": "2026-11-24T00:00:00Z", "caller": "+79031112233", "limit": 50}]},
    )

    caller: Annotated[Number | None, Field(description="Who called, in full.", examples=["+79031112233"])] = None
    party: Annotated[Number | None, Field(description="Who called or was rung, in full.")] = None

    def phones(self) -> list[str]:
        """Return whom the question is about, E.164."""
        return [phone for phone in (self.caller, self.party) if phone]


class StatsQuestion(Filters):
    """The filters, and what to sum up by."""

    group_by: Literal["hour", "day", "number", "reason", "disposition"] = "day"
    tz: Annotated[Zone, Field(description="Whose days and hours.", examples=["Europe/Moscow"])] = "UTC"


def filter_of(question: Filters, grant: Grant, now: datetime, cursors: Cursors | None = None) -> CallFilter:
    """Return the filter of a question within what the grant may see. Raises Problem 400 naming the parameter."""
    place = "#/" if isinstance(question, CallSearch) else "query/"
    try:
        return _filter_of(question, grant, now, cursors)
    except BadQuestion as bad:
        raise refused(f"{place}{bad.field}", bad.why) from None


def fingerprint(question: Filters) -> bytes:
    """Return what makes a question the same one on its next page."""
    asked = question.model_dump(mode="json", exclude=_NOT_COMPARED, exclude_none=True)
    return orjson.dumps(asked, option=orjson.OPT_SORT_KEYS)


def refused(pointer: str, why: str) -> Problem:
    """Return the 400 for one parameter."""
    return Problem(
        400,
        "The request is not valid",
        detail="See errors for the fields.",
        errors=[{"pointer": pointer, "detail": why}],
    )


def _filter_of(question: Filters, grant: Grant, now: datetime, cursors: Cursors | None) -> CallFilter:
    cursor = None
    since, until = question.since, question.until
    if isinstance(question, CallQuestion) and question.cursor and cursors:
        cursor = cursors.decode(question.cursor, fingerprint(question))
        since, until = cursor.since, cursor.until
    since, until = period(since, until, now)
    return CallFilter(
        tenants=tenants_of(grant, question.tenant),
        since=since,
        until=until,
        number=question.number,
        cursor=cursor,
        limit=question.limit if isinstance(question, CallQuestion) else MOST,
        **{name: getattr(question, name) for name in _SAME},
        **{name: getattr(question, name, None) for name in ("caller", "party")},
    )
