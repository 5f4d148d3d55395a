"""How Zadarma's REST API signs a request, and what its recording links look like."""

import base64
import hashlib
import hmac
from collections.abc import Mapping, Sequence
from pathlib import PurePosixPath
from typing import Any
from urllib.parse import quote_plus, urlsplit

RECORD_REQUEST = "/v1/pbx/record/request/"
LINK_LIFETIME_S = 1800
REQUESTS_PER_MINUTE = 50
"""Half of what the vendor allows an account; the rest is for whoever else uses its API."""
_NAME_AT_MOST = 100


def signed_query(parameters: Mapping[str, str]) -> str:
    """Return the query as it is sent and signed: sorted by name, `format=json` in it, a space as `+`."""
    pairs = {**parameters, "format": "json"}
    return "&".join(f"{quote_plus(name)}={quote_plus(pairs[name])}" for name in sorted(pairs))


def authorization(key: str, secret: str, path: str, query: str) -> str:
    """Return the `Authorization` header for `path?query`: key and base64 of the *hex* HMAC-SHA1."""
    digest = hashlib.md5(query.encode(), usedforsecurity=False).hexdigest()
    mac = hmac.new(secret.encode(), f"{path}{query}{digest}".encode(), hashlib.sha1).hexdigest()
    return f"{key}:{base64.b64encode(mac.encode()).decode()}"


def links(document: Any) -> list[str]:  # noqa: ANN401 - whatever JSON the vendor sent
    """Return the links of an answer to a record request, [] where it holds none that could be one."""
    if not isinstance(document, dict) or document.get("status") != "success":
        return []
    given = document.get("links") or [document.get("link")]
    return [link for link in given if isinstance(link, str)] if isinstance(given, list) else []


def file_name(link: str) -> str:
    """Return the name of the file behind a link, without its extension: what tells a call's files apart."""
    return PurePosixPath(urlsplit(link).path).stem[:_NAME_AT_MOST]


def choose(found: Sequence[str], name: str | None) -> tuple[str | None, tuple[str, ...]]:
    """Return the link to fetch, that of the file `name` where one is named, and the names of the other files.

    None where the named file is not among them. Of several links to one file the first counts.
    """
    by_name = {file_name(link): link for link in reversed(found)}
    if name is not None:
        return by_name.get(name), ()
    if not found:
        return None, ()
    first = file_name(found[0])
    return found[0], tuple(sorted(other for other in by_name if other != first))
