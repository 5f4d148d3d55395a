"""What happened lately: who tried to reach whom, how often, and which codes were wrong. Bounded, and gone after a day.

Fed by our own answers and the reports of PBXs, and by the call topic, which tells what other routers answered and what
this one did before it was restarted. Whatever comes twice counts once.
"""

from collections import deque
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import TypeVar

import msgspec

from call_router.domain.bindings import Role
from call_router.domain.calls import Attempt, Outcome, WrongCode
from call_router.domain.values import Value, replace
from call_router.replica.last_phones import LastPhone, LastPhones

KEPT = timedelta(hours=25)
_K = TypeVar("_K")


class Dialled(msgspec.Struct, gc=False):
    """An attempt that reports may still change."""

    call_id: str
    step: int
    attempt: Attempt


class Mistyped(Value, frozen=True):
    """A wrong code, and where it was typed."""

    call_id: str
    step: int
    wrong: WrongCode


class RecentCallsMemory:
    """Recent calls, at most `most` attempts and as many wrong codes; the oldest go first."""

    def __init__(self, most: int = 200_000) -> None:
        self._most = most
        self._order: deque[Dialled] = deque()
        self._known: set[tuple[str, int]] = set()
        self._of_call: dict[str, Dialled] = {}
        self._latest: dict[tuple[str, str, str], Dialled] = {}
        self._dials: dict[tuple[str, str, str | None], list[Dialled]] = {}
        self._wrong_order: deque[Mistyped] = deque()
        self._wrong_known: set[tuple[str, int]] = set()
        self._wrong_of_caller: dict[tuple[str, str], deque[datetime]] = {}
        self._wrong_at_number: dict[str, deque[datetime]] = {}
        self._phones = LastPhones(most)

    def __len__(self) -> int:
        return len(self._order)

    def dialled(self, call_id: str, step: int, attempt: Attempt) -> None:
        """Remember a dial that we answered a call's step with; the same step again is no second attempt."""
        if (call_id, step) in self._known:
            return
        entry = Dialled(call_id, step, attempt)
        self._known.add((call_id, step))
        self._order.append(entry)
        _keep_later(self._of_call, call_id, entry)
        _keep_later(self._latest, _people(attempt), entry)
        self._dials.setdefault(_dial_key(attempt), []).append(entry)
        while self._order and self._too_old(self._order[0].attempt.at, attempt.at, len(self._order)):
            self._forget(self._order.popleft())

    def called_from(self, tenant: str, order_id: str, role: Role, phone: str) -> None:
        """Remember the phone that a side of an order called from."""
        self._phones.put(tenant, order_id, role, phone)

    def answered(self, call_id: str) -> None:
        """Note that the call's latest dial was answered.

        Not where the PBX has asked what to do after it, while the call went on: then it is somebody else who answered.
        """
        entry = self._of_call.get(call_id)
        if entry is None or entry.attempt.outcome is Outcome.ANSWERED:
            return
        if entry.attempt.outcome is Outcome.PENDING or entry.attempt.ended_at is not None:
            entry.attempt = replace(entry.attempt, outcome=Outcome.ANSWERED)

    def unanswered(self, call_id: str, rang: timedelta | None) -> None:
        """Note that nobody answered the call's latest dial; `rang` is None where it is not known."""
        entry = self._of_call.get(call_id)
        if entry is not None and entry.attempt.outcome is Outcome.PENDING:
            entry.attempt = replace(entry.attempt, outcome=Outcome.UNANSWERED, rang=rang)

    def ended(self, call_id: str, at: datetime) -> None:
        """Note that the call is over."""
        entry = self._of_call.get(call_id)
        if entry is not None and entry.attempt.ended_at is None:
            entry.attempt = replace(entry.attempt, ended_at=at)

    def wrong_code(self, call_id: str, step: int, wrong: WrongCode) -> None:
        """Remember a wrong code: known callers' count for themselves, others' for the number too."""
        if (call_id, step) in self._wrong_known:
            return
        self._wrong_known.add((call_id, step))
        self._wrong_order.append(Mistyped(call_id, step, wrong))
        if wrong.caller is not None:
            self._wrong_of_caller.setdefault((wrong.tenant, wrong.caller), deque()).append(wrong.at)
        if not wrong.known:
            self._wrong_at_number.setdefault(wrong.number, deque()).append(wrong.at)
        while self._wrong_order and self._too_old(self._wrong_order[0].wrong.at, wrong.at, len(self._wrong_order)):
            self._forget_code(self._wrong_order.popleft())

    def attempt_of(self, call_id: str) -> Attempt | None:
        """Return the latest attempt of a call."""
        entry = self._of_call.get(call_id)
        return None if entry is None else entry.attempt

    def latest_attempt(self, tenant: str, from_person: str, to_person: str) -> Attempt | None:
        """Return the latest attempt of one person to reach another."""
        entry = self._latest.get((tenant, from_person, to_person))
        return None if entry is None else entry.attempt

    def dials(self, tenant: str, order_id: str, caller: str | None, since: datetime) -> int:
        """Return how many dials of this caller for this order count since then."""
        entries = self._dials.get((tenant, order_id, caller), ())
        return sum(1 for entry in entries if entry.attempt.at > since and entry.attempt.counts)

    def wrong_codes_of(self, tenant: str, caller: str, since: datetime) -> int:
        """Return how many wrong codes this caller typed since then."""
        return _since(self._wrong_of_caller.get((tenant, caller)), since)

    def wrong_codes_at(self, number: str, since: datetime) -> int:
        """Return how many wrong codes unknown and withheld callers typed on this number since then."""
        return _since(self._wrong_at_number.get(number), since)

    def last_phone(self, tenant: str, order_id: str, role: Role) -> str | None:
        """Return the phone that this side of the order last called from."""
        return self._phones.get(tenant, order_id, role)

    def dialled_ones(self) -> list[Dialled]:
        """Return the attempts there are, the first remembered first."""
        return list(self._order)

    def mistyped_ones(self) -> list[Mistyped]:
        """Return the wrong codes there are, the first remembered first."""
        return list(self._wrong_order)

    def last_phones(self) -> Iterator[list[LastPhone]]:
        """Yield the phones that sides of orders last called from, some at once; they may change between two."""
        return self._phones.some_at_once()

    def _too_old(self, at: datetime, now: datetime, size: int) -> bool:
        return size > self._most or now - at > KEPT

    def _forget(self, entry: Dialled) -> None:
        self._known.discard((entry.call_id, entry.step))
        if self._of_call.get(entry.call_id) is entry:
            del self._of_call[entry.call_id]
        if self._latest.get(_people(entry.attempt)) is entry:
            del self._latest[_people(entry.attempt)]
        key = _dial_key(entry.attempt)
        left = [other for other in self._dials.get(key, ()) if other is not entry]
        if left:
            self._dials[key] = left
        else:
            self._dials.pop(key, None)

    def _forget_code(self, one: Mistyped) -> None:
        self._wrong_known.discard((one.call_id, one.step))
        if one.wrong.caller is not None:
            _drop_oldest(self._wrong_of_caller, (one.wrong.tenant, one.wrong.caller))
        if not one.wrong.known:
            _drop_oldest(self._wrong_at_number, one.wrong.number)


def _keep_later(entries: dict[_K, Dialled], key: _K, entry: Dialled) -> None:
    """Keep the later of two attempts: those of other routers come in any order."""
    known = entries.get(key)
    if known is None or known.attempt.at <= entry.attempt.at:
        entries[key] = entry


def _people(attempt: Attempt) -> tuple[str, str, str]:
    return (attempt.tenant, attempt.from_person, attempt.to_person)


def _dial_key(attempt: Attempt) -> tuple[str, str, str | None]:
    return (attempt.tenant, attempt.order_id, attempt.caller)


def _since(times: deque[datetime] | None, since: datetime) -> int:
    return 0 if times is None else sum(1 for at in times if at > since)


def _drop_oldest(times: dict[_K, deque[datetime]], key: _K) -> None:
    left = times.get(key)
    if left is not None:
        left.popleft()
        if not left:
            del times[key]
