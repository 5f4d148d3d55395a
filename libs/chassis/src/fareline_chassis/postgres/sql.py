"""SQL lives in `.sql` files beside the adapter that runs it; each query is headed by a line `-- name: claim_slots`."""

import re
from collections.abc import Iterator, Mapping
from importlib.resources import files

_HEADING = re.compile(r"^--\s*name:\s*(.*?)\s*$", re.MULTILINE)


class QueriesUnusable(Exception):
    """A `.sql` file is missing or not made of named queries; the message says where and why."""


class Queries:
    """The queries of one file, as attributes: `queries.claim_slots` is the text. An unknown name is AttributeError."""

    def __init__(self, source: str, texts: Mapping[str, str]) -> None:
        self._source = source
        self._texts = dict(texts)

    def __getattr__(self, name: str) -> str:
        try:
            return self._texts[name]
        except KeyError:
            raise AttributeError(f"{self._source} has no query {name}; it has {', '.join(self._texts)}") from None

    def __iter__(self) -> Iterator[str]:
        return iter(self._texts)


def load_queries(package: str, name: str) -> Queries:
    """Return the queries of the file `name` (its `.sql` may be left out) in the Python package `package`.

    Raises QueriesUnusable where the file is missing, has no query, text before the first name, a name twice or a name
    that is no Python identifier.
    """
    file_name = name.removesuffix(".sql") + ".sql"
    source = f"{package}/{file_name}"
    try:
        text = files(package).joinpath(file_name).read_text(encoding="utf-8")
    except (FileNotFoundError, ModuleNotFoundError) as error:
        raise QueriesUnusable(f"{source} is missing") from error
    return Queries(source, parse_queries(source, text))


def parse_queries(source: str, text: str) -> dict[str, str]:
    """Return the queries of `text` by name; `source` is for messages. Raises QueriesUnusable as `load_queries`."""
    before, *parts = _HEADING.split(text)
    if _without_comments(before):
        raise QueriesUnusable(f"{source}: there is SQL before the first name")
    found: dict[str, str] = {}
    for name, body in zip(parts[::2], parts[1::2], strict=True):
        if not name.isidentifier() or name.startswith("_"):
            raise QueriesUnusable(f"{source}: {name!r} cannot be a query's name")
        if name in found:
            raise QueriesUnusable(f"{source}: {name} is there twice")
        if not _without_comments(body):
            raise QueriesUnusable(f"{source}: {name} is empty")
        found[name] = body.strip()
    if not found:
        raise QueriesUnusable(f"{source} has no query")
    return found


def _without_comments(text: str) -> str:
    return "".join(line for line in text.splitlines() if not line.lstrip().startswith("--")).strip()
