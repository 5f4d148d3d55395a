"""A question to the call log as one statement: only what is asked for stands in it, so that an index can serve it."""

from collections.abc import Sequence
from typing import Any, Final

from fareline_chassis.postgres.sql import Queries
from recording_ingest.domain.search import CallFilter
from recording_ingest.outbound.phone_vault import PhoneVault

_SAME: Final = (
    "number", "order_id", "disposition", "reason", "source", "direction", "recording", "driver_id", "client_id",
    "min_talk_s", "updated_since",
)  # fmt: skip
_PHONES: Final = ("caller", "party")
_TIMES: Final = ("hour", "day")
Statement = tuple[str, Sequence[Any]]


class _Arguments:
    """The values of a statement, each with its place."""

    def __init__(self) -> None:
        self.values: list[object] = []

    def place(self, text: str, *values: object) -> str:
        """Return `text` with `{}`, `{0}`, … replaced by the places of `values`."""
        self.values.extend(values)
        first = len(self.values) - len(values) + 1
        return text.format(*(f"${number}" for number in range(first, first + len(values))))


def page_statement(queries: Queries, vault: PhoneVault, wanted: CallFilter, *, in_full: bool) -> Statement:
    """Return the statement for a page, and one call more, which tells whether there is a next page."""
    arguments = _Arguments()
    where = _where(queries, vault, wanted, arguments)
    limit = arguments.place("LIMIT {}", wanted.limit + 1)
    parts = ("SELECT", columns(queries, in_full=in_full), "FROM calls", where, queries.newest_first, limit)
    return "\n".join(parts), arguments.values


def order_statement(queries: Queries, *, in_full: bool) -> str:
    """Return the statement for the calls of an order; its arguments are tenant and order id."""
    shown = f"{columns(queries, in_full=in_full)}, {queries.attempt}"
    return "\n".join(("SELECT", shown, "FROM calls", queries.of_order))


def stats_statement(queries: Queries, vault: PhoneVault, wanted: CallFilter, group_by: str, tz: str) -> Statement:
    """Return the statement for the measures of `analytics.calls`, grouped."""
    arguments = _Arguments()
    where = _where(queries, vault, wanted, arguments)
    key = arguments.place(getattr(queries, group_by), tz) if group_by in _TIMES else getattr(queries, f"by_{group_by}")
    parts = ("SELECT", f"{key} AS key,", queries.measures, "FROM analytics.calls", where, "GROUP BY 1 ORDER BY 1")
    return "\n".join(parts), arguments.values


def columns(queries: Queries, *, in_full: bool) -> str:
    """Return the columns of a list of calls, phones masked or as ciphertexts to open."""
    listed = queries.columns
    return listed.replace("_masked AS", "_sealed AS") if in_full else listed


def _where(queries: Queries, vault: PhoneVault, wanted: CallFilter, arguments: _Arguments) -> str:
    conditions = [arguments.place(queries.since, wanted.since)]
    if wanted.cursor:
        # In the place of `until`, which lies later: given both, PostgreSQL walks the index from `until` to the cursor.
        conditions.append(arguments.place(queries.after, wanted.cursor.started_at, wanted.cursor.call_id))
    else:
        conditions.append(arguments.place(queries.until, wanted.until))
    if wanted.tenants is not None:
        single = len(wanted.tenants) == 1
        asked: Any = wanted.tenants[0] if single else list(wanted.tenants)
        conditions.append(arguments.place(queries.tenant if single else queries.tenants, asked))
    given: dict[str, Any] = {name: getattr(wanted, name) for name in _SAME}
    given |= {name: _hashes(vault, getattr(wanted, name)) for name in _PHONES}
    conditions += [arguments.place(getattr(queries, name), value) for name, value in given.items() if value is not None]
    return "WHERE " + " AND ".join(conditions)


def _hashes(vault: PhoneVault, phone: str | None) -> list[bytes] | None:
    return list(vault.hashes(phone)) if phone else None
