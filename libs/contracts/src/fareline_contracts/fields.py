"""Field types that several records share: names, phones, times, and enums that may grow."""

import enum
from datetime import UTC, datetime
from typing import Annotated, Any, Self

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints

MAX_VERSION = 2**53 - 1
EARLIEST = datetime(2000, 1, 1, tzinfo=UTC)
LATEST = datetime(2100, 1, 1, tzinfo=UTC)


class Record(BaseModel):
    """Base of everything that crosses a service boundary: immutable, and unknown fields are ignored on reading."""

    model_config = ConfigDict(frozen=True, extra="ignore", populate_by_name=True, serialize_by_alias=True)

    def to_json(self) -> bytes:
        """Return the record as compact UTF-8 JSON, the value of a Kafka record."""
        return self.model_dump_json().encode()


class OpenEnum(enum.StrEnum):
    """An enum that may grow in a later version: a reader takes a value it does not know as `other`.

    Every subclass has a member `OTHER`.
    """

    @classmethod
    def _missing_(cls, value: object) -> Self | None:
        return cls("other") if isinstance(value, str) and value != "other" else None


def _without_nul(value: str) -> str:
    if "\x00" in value:
        msg = "must not contain U+0000"
        raise ValueError(msg)
    return value


def _in_utc_within_limits(value: datetime) -> datetime:
    try:
        instant = value.astimezone(UTC)
    except OverflowError as error:
        raise ValueError("must lie between 2000 and 2100") from error
    if not EARLIEST <= instant < LATEST:
        raise ValueError("must lie between 2000 and 2100")
    return instant


Tenant = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9-]{0,62}$")]
OrderId = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9._:~-]{1,128}$")]
E164 = Annotated[str, StringConstraints(pattern=r"^\+[1-9][0-9]{4,14}$")]
Code = Annotated[str, StringConstraints(pattern=r"^[0-9]{4,10}$")]
Region = Annotated[str, StringConstraints(pattern=r"^[A-Z]{2}$")]
RawPhone = Annotated[str, StringConstraints(max_length=64), AfterValidator(_without_nul)]
"""A phone as somebody wrote it; order-binder normalises it or drops it."""
Text = Annotated[str, StringConstraints(max_length=256), AfterValidator(_without_nul)]
LongText = Annotated[str, StringConstraints(max_length=4096), AfterValidator(_without_nul)]
Version = Annotated[int, Field(ge=0, le=MAX_VERSION, strict=True)]
Revision = Annotated[int, Field(ge=0, le=2**63 - 1, strict=True)]
Instant = Annotated[AwareDatetime, AfterValidator(_in_utc_within_limits)]
"""A point in time, kept in UTC."""
JsonObject = dict[str, Any]
