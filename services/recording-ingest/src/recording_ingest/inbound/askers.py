"""Who asks for a recording or a person, as the access log has it: read from the request beside the token."""

import re
import uuid
from ipaddress import ip_address
from typing import Final

from starlette.requests import Request

from fareline_chassis.auth import Grant
from fareline_chassis.privacy import redact_phones
from fareline_chassis.problems import FieldError, Problem
from recording_ingest.ports.access_log import Asker

REASON: Final = "X-Access-Reason"
REQUEST_ID: Final = "X-Request-Id"
_BEARER: Final = "bearer token"
_LONGEST_REASON: Final = 200
_ID: Final = re.compile(r"[A-Za-z0-9._:+/=-]{1,128}")
_TRACE: Final = re.compile(r"[0-9a-f]{2}-([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}")
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f]")


def asker_of(request: Request, grant: Grant, *, reason_required: bool = False) -> Asker:
    """Return who asks. The request's id is the client's, else that of its trace, else a new one.

    The address is the client's as uvicorn knows it: behind a proxy, what a trusted one says. Raises Problem 400 for a
    reason that is too long, unreadable, or not given although it is required. Phones in it are masked.
    """
    return Asker(
        actor=grant.name,
        auth_method=_BEARER,
        request_id=_request_id(request),
        ip=_address(request),
        reason=_reason(request, required=reason_required),
    )


def _address(request: Request) -> str | None:
    host = request.client.host if request.client else ""
    try:
        return str(ip_address(host))
    except ValueError:  # a proxy may say "unknown"
        return None


def _request_id(request: Request) -> str:
    given = request.headers.get(REQUEST_ID, "")
    if _ID.fullmatch(given):
        return redact_phones(given)
    trace = _TRACE.fullmatch(request.headers.get("traceparent", ""))
    return trace[1] if trace else str(uuid.uuid4())


def _reason(request: Request, *, required: bool) -> str | None:
    given = request.headers.get(REASON, "").strip()
    try:
        text = given.encode("latin-1").decode("utf-8")  # Starlette reads headers as Latin-1; ours are UTF-8
    except UnicodeDecodeError:
        raise _refused("not UTF-8") from None
    if len(text) > _LONGEST_REASON or _CONTROL.search(text):
        raise _refused(f"at most {_LONGEST_REASON} characters on one line")
    if required and not text:
        raise _refused("say why you listen: a case number, for example")
    return redact_phones(text) or None


def _refused(why: str) -> Problem:
    errors = [FieldError(pointer=f"header/{REASON}", detail=why)]
    return Problem(400, "The request is not valid", detail="See errors for the fields.", errors=errors)
