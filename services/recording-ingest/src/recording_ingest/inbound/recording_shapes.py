"""What the HTTP interface says of recordings beside their audio."""

from datetime import datetime

from pydantic import BaseModel

from recording_ingest.ports import Access


class AccessOut(BaseModel):
    """One time that somebody was given something. `byte_range` as in Content-Range; null for the whole."""

    actor: str
    action: str
    byte_range: str | None
    at: datetime


class AccessLogOut(BaseModel):
    """Who was given what, oldest first. `intact`: every row is as it was written."""

    recording_id: str
    intact: bool
    accesses: list[AccessOut]


def access_out(access: Access) -> AccessOut:
    """Return one row of the access log."""
    return AccessOut(actor=access.actor, action=access.action, byte_range=access.byte_range, at=access.at)
