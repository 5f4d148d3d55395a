"""Reading Zadarma's webhooks: url-encoded as a rule, multipart at times, nested values with bracketed keys."""

import re
from collections.abc import Mapping
from urllib.parse import unquote_plus

import msgspec

from call_router.ports import PbxRequest, RequestUnreadable

MOST_FIELDS = 200
_PART_NAME = re.compile(rb'name="([^"\r\n]{1,100})"')
_BRACKETS = re.compile(r"wait_dtmf\[(\w{1,40})\]")


def read_form(request: PbxRequest) -> dict[str, str]:
    """Return the fields of query and body; the first of a repeated name counts, and the body's before the query's.

    Raises RequestUnreadable for a body that is no form.
    """
    if request.headers.get("content-type", "").lower().startswith("multipart/form-data"):
        pairs = _multipart(request.body)
    else:
        pairs = _urlencoded(request.body)
    if request.query:
        pairs += _urlencoded(request.query)
    return dict(reversed(pairs))


def dtmf_of(fields: Mapping[str, str]) -> dict[str, str] | None:
    """Return what came of asking for digits, from bracketed keys or a JSON text; None where nothing was asked."""
    found = {match[1]: value for name, value in fields.items() if (match := _BRACKETS.fullmatch(name))}
    text = fields.get("wait_dtmf")
    if text:
        try:
            found |= {name: _plain(value) for name, value in msgspec.json.decode(text, type=dict[str, object]).items()}
        except (msgspec.MsgspecError, RecursionError):
            raise RequestUnreadable("wait_dtmf: neither brackets nor JSON") from None
    return found or None


def text_of(fields: Mapping[str, str], name: str) -> str:
    """Return a field, empty where it is absent; U+0000, which no reader of ours takes, is left out."""
    return fields.get(name, "").replace("\x00", "")


def _plain(value: object) -> str:
    if isinstance(value, bool):
        return "1" if value else ""
    return value if isinstance(value, str) else "" if value is None else str(value)


def _urlencoded(body: bytes) -> list[tuple[str, str]]:
    """Read as `urllib.parse.parse_qsl` does, but for the fields that hold nothing to be decoded: most of them."""
    try:
        fields = body.decode().split("&")
    except UnicodeDecodeError:
        raise RequestUnreadable("body: not a form") from None
    if len(fields) > MOST_FIELDS:
        raise RequestUnreadable("body: too many fields")
    parted = (field.partition("=") for field in fields if field)
    return [(_decoded(name), _decoded(value)) for name, _, value in parted]


def _decoded(text: str) -> str:
    return unquote_plus(text) if "%" in text or "+" in text else text


def _multipart(body: bytes) -> list[tuple[str, str]]:
    """Read by the boundary that the body itself begins with: Zadarma's header has been seen to name another."""
    boundary = body.lstrip(b"\r\n").partition(b"\r\n")[0]
    if not boundary.startswith(b"--"):
        raise RequestUnreadable("body: not multipart")
    parts = body.split(boundary)[1:]
    if len(parts) > MOST_FIELDS:
        raise RequestUnreadable("body: too many fields")
    pairs = []
    for part in parts:
        head, found, value = part.partition(b"\r\n\r\n")
        name = _PART_NAME.search(head)
        if found and name:
            pairs.append((name[1].decode("utf-8", "replace"), value.removesuffix(b"\r\n").decode("utf-8", "replace")))
    return pairs
