"""Snapshots with one thing wrong at a time, and where a refusal has to point."""

import copy
import json
import time
from dataclasses import dataclass

MISSING = object()
LONG = "x" * 257
NUL = "a\u0000b"
TOO_EARLY, TOO_LATE, FAR_OFF = "1999-12-31T23:59:59Z", "2100-01-01T00:00:00Z", "+999999-01-01T00:00:00Z"
NO_TIME = [
    7.5e300,
    "",
    "yesterday",
    "2026-11-24T10:00:00",
    "2026-13-01T00:00:00Z",
    TOO_EARLY,
    TOO_LATE,
    FAR_OFF,
    [],
    {},
]
NO_TEXT = [7, True, [], {}, NUL, LONG]
NO_PHONES = ["+79031112233", 7, {}, [None], [79031112233], [[]], [NUL], ["7" * 65], ["+79031112233"] * 6]

WRONG = {
    "tenant": [MISSING, None, 7, [], "", "Demo", "-demo", "x" * 64, NUL, "demo\n", "де"],
    "order_id": [MISSING, None, 7, [], "", "a b", "x" * 129, NUL, "o\u0001", "o/1"],
    "version": [MISSING, None, "1", 1.5, True, -1, 2**53, 2**63, 2**64, 10**400, [], {}],
    "status": [MISSING, None, 7, "", "lost", "Accepted", NUL],
    "status_changed_at": [MISSING, None, *NO_TIME],
    "scheduled_for": NO_TIME,
    "client": [MISSING, None, 7, "Anna", []],
    "client/id": NO_TEXT,
    "client/label": NO_TEXT,
    "client/phones": [None, *NO_PHONES],
    "driver": [7, "white Camry", []],
    "driver/id": NO_TEXT,
    "driver/label": NO_TEXT,
    "driver/phones": [None, *NO_PHONES],
    "consent": [None, 7, []],
    "consent/record": [None, "perhaps", 2, []],
    "contact": [None, "both", []],
    "contact/driver_to_client": [None, "perhaps", 2],
    "contact/client_to_driver": [None, "perhaps", 2],
    "city": [7, [], NUL, LONG],
}
"""What is wrong, by the path of the field."""


@dataclass(frozen=True)
class Bad:
    """A document that has to be refused; `path` begins what the refusal points at."""

    path: str
    document: dict
    what: str

    @property
    def json(self) -> bytes:
        return json.dumps(self.document).encode()


def snapshot(order_id: str, **changes) -> dict:
    """Return a whole and valid snapshot of tenant demo."""
    return {
        "tenant": "demo",
        "order_id": order_id,
        "version": 1,
        "status": "accepted",
        "status_changed_at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "scheduled_for": None,
        "client": {"id": f"c-{order_id}", "phones": ["+79261234567"], "label": "Anna"},
        "driver": {"id": f"d-{order_id}", "phones": ["+79031112233"], "label": "white Camry"},
        "consent": {"record": True},
        "contact": {"driver_to_client": True, "client_to_driver": True},
        "city": "moscow",
        **changes,
    }


def bad_snapshots(order_id: str = "bad") -> list[Bad]:
    """Return every document of the table; the one that names no usable order id keeps its wrong one."""
    return [
        Bad(path, _spoilt(order_id, path, value), f"{path} = {'(missing)' if value is MISSING else repr(value)[:40]}")
        for path, values in WRONG.items()
        for value in values
    ]


def _spoilt(order_id: str, path: str, value: object) -> dict:
    document = copy.deepcopy(snapshot(order_id))
    *parents, last = path.split("/")
    place = document
    for name in parents:
        place = place[name]
    if value is MISSING:
        del place[last]
    else:
        place[last] = value
    return document
