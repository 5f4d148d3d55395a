"""Explanations in words, for people at a terminal: of a call that nobody made, and of one that was made.

Both are told from what the APIs answer, in which phones are masked.
"""

from collections.abc import Iterator, Mapping
from typing import Any

_RULES = {
    "0": "the caller",
    "1": "the number",
    "2": "digits typed",
    "3": "orders of the caller",
    "4": "which order",
    "5": "nobody found",
    "6": "before dialling",
    "7": "result of the dial",
}
_OUTCOMES = {"fits": "decides", "passed": "goes on", "noted": "notes"}
_QUESTIONS = {
    "call.started": "the call came in",
    "call.digits": "the caller had typed digits",
    "call.dialed": "nobody had been bridged",
}
_SOURCES = {
    "replica": "the router's own data",
    "binder": "what order-binder answered",
    "default": "no data at all: the default route",
}


def told_now(found: Mapping[str, Any]) -> Iterator[str]:
    """Yield the lines that tell an answer of `POST /v1/route/explain`."""
    decision = found["decision"]
    yield from _rules(found["rules"])
    for order in found["candidates"]:
        allowed = "" if order["allowed"] else ", blocked"
        stands = f"the caller is its {order['role']}, {order['order_status']}"
        yield f"order {order['order_id']}: {stands}, from {order['opens_at']} to {order['closes_at']}{allowed}"
    yield f"{decision['reason']}: {'; '.join(map(_action, decision['actions']))}"
    yield _rests_on(decision, decision["age_s"])


def told_then(page: Mapping[str, Any]) -> Iterator[str]:
    """Yield the lines that tell a call's page of the call log: each answer that was given, and why."""
    for decision in page["decisions"]:
        asked = _QUESTIONS.get(decision["question"], decision["question"])
        yield f"{decision['at']}  step {decision['step']}: {asked}"
        yield from (f"  {line}" for line in _rules(decision["rules"]))
        yield f"  {decision['reason']}: {decision['deed']}"
        yield f"  {_rests_on(decision, decision['data_age_s'])}"
    for attempt in page["attempts"]:
        targets = ", ".join(target or "?" for target in attempt["targets"])
        yield f"{attempt['at']}  rang {targets}: {attempt['result'] or 'no result yet'}"


def _rules(rules: list[Mapping[str, str]]) -> Iterator[str]:
    for rule in rules:
        name, outcome = _RULES.get(rule["rule"], ""), _OUTCOMES.get(rule["outcome"], rule["outcome"])
        yield f"rule {rule['rule']} ({name}) {outcome}: {rule['why']}"


def _rests_on(decision: Mapping[str, Any], age_s: float | None) -> str:
    age = "of unknown age" if age_s is None else f"{age_s:.1f} s old"
    told = f"it rests on {_SOURCES.get(decision['source'], decision['source'])}, {age}"
    if decision["order_id"] is None:
        return told
    return f"{told}, order {decision['order_id']} as of change {decision['revision']}"


def _action(action: Mapping[str, Any]) -> str:
    shown = ((name, value) for name, value in action.items() if name not in ("do", "context") and value)
    return " ".join([action["do"], *(f"{name}={_short(value)}" for name, value in shown)])


def _short(value: object) -> str:
    if isinstance(value, list):
        return ",".join(map(str, value))
    if isinstance(value, dict):
        return ",".join(f"{name}:{one}" for name, one in value.items() if one) or "none"
    return str(value)
