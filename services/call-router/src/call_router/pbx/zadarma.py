"""Zadarma: form webhooks NOTIFY_*, answered with a JSON object that redirects, asks or hangs up.

What a call shows and whether it is recorded hangs on the PBX *extension* that it is redirected to, so an account lists
lines, and a dial takes the one with the wanted caller ID and recording; the phone to ring goes into
`rewrite_forward_number`. Zadarma does one thing at a time: after a prompt it asks again (`Played`), and a dial that
nobody answered comes back as if the call were new (`Restarted`).
"""

import re
from datetime import UTC, datetime
from typing import Any, assert_never

import msgspec

from call_router.domain.actions import Action, Ask, Dial, Fallback, Hangup, Play, Reject
from call_router.domain.calls import Question, QuestionKind
from call_router.domain.decisions import Decision
from call_router.domain.inventory import Account
from call_router.domain.reports import Ended, Report
from call_router.domain.values import replace
from call_router.pbx.zadarma_clock import AccountClock
from call_router.pbx.zadarma_form import dtmf_of, read_form, text_of
from call_router.pbx.zadarma_lines import Lines, without_line
from call_router.pbx.zadarma_reports import LINE_LIMIT, read_report
from call_router.pbx.zadarma_signature import Signer, verify
from call_router.ports import (
    Echo,
    Ignored,
    Parsed,
    PbxRequest,
    PbxResponse,
    Played,
    RequestUnreadable,
    Restarted,
)
from fareline_contracts.accounts import Account as AccountEntry

_EXTENSION_LENGTH = 3
_LEAST_RETURN_TIMEOUT_S = 3
_LONGEST_DIGITS = 64
_LONGEST_ID = 256
_LONGEST_EVENT = 40
_LONGEST_NAME = 60
_FALSE = frozenset({"", "0", "false", "no"})
_ECHO = re.compile(r"[A-Za-z0-9._-]{1,128}")
_NOT_PLAIN = re.compile(r"[^A-Za-z0-9_]")
_NOTHING = PbxResponse(b"{}")


def adapter(entry: AccountEntry, facts: Account) -> "ZadarmaAdapter":
    """Return the adapter of one account."""
    return ZadarmaAdapter(entry, facts)


class ZadarmaAdapter:
    """A Zadarma PBX."""

    def __init__(self, entry: AccountEntry, facts: Account) -> None:
        self._account = facts
        self._signers = tuple(Signer(secret.get_secret_value()) for secret in entry.secrets)
        self._targets = entry.targets
        self._prompts = entry.prompts
        self._clock = AccountClock(entry.timezone)
        self._lines = Lines(entry.lines)
        self._seen_at = datetime.min.replace(tzinfo=UTC)

    def parse(self, request: PbxRequest) -> Parsed:
        """Verify and read a webhook; `zd_echo` is answered without a signature, for it tells nothing."""
        self._seen_at = request.received_at
        fields = read_form(request)
        echo = text_of(fields, "zd_echo")
        if echo and "event" not in fields:
            return Echo(PbxResponse(_safe(echo), content_type="text/plain; charset=utf-8"))
        verify(fields, request.headers.get("signature"), self._signers)
        event = text_of(fields, "event")
        if not text_of(fields, "pbx_call_id"):
            return Ignored(_plain_event(event))
        match event:
            case "NOTIFY_START":
                started_at = self._clock.read(text_of(fields, "call_start"))
                began = self._clock.began(started_at, request.received_at)
                question = self._question(fields, started_at or request.received_at)
                return Restarted(question, began, self._clock.offset)
            case "NOTIFY_IVR":
                return self._after_ivr(fields, request.received_at)
        report = read_report(fields, self._clock, request.received_at)
        if report is None:
            return Ignored(_plain_event(event))
        self._notice_full_line(report, request.received_at)
        return report

    def fit(self, question: Question, decision: Decision) -> Decision:
        """Return the fallback for a dial that no line can make, any other decision as it is."""
        dial = decision.actions[-1]
        if not isinstance(dial, Dial):
            return decision
        line = self._lines.choose(dial, question.pbx_call_id, self._seen_at)
        if line is None:
            return without_line(decision, self._account.default_route)
        # The caller can be told something before he is redirected; the callee hears what the extension plays.
        told = (Play(dial.announce_caller),) if dial.announce_caller in self._prompts else ()
        return replace(decision, actions=(*decision.actions[:-1], *told, replace(dial, line=line.ext)))

    def render(self, question: Question, decision: Decision) -> PbxResponse:
        """Return the answer; of several things to do only the first, for Zadarma asks again after it."""
        del question
        first, last = decision.actions[0], decision.actions[-1]
        if isinstance(first, Play) and (prompt := self._prompts.get(first.prompt)):
            return _json({"ivr_play": prompt})
        return _json(self._instruction(last))

    def accepted(self) -> PbxResponse:
        """Return the answer to a report."""
        return _NOTHING

    def _question(self, fields: dict[str, str], at: datetime) -> Question:
        return Question(
            kind=QuestionKind.STARTED,
            account=self._account,
            pbx_call_id=text_of(fields, "pbx_call_id")[:_LONGEST_ID],
            caller=text_of(fields, "caller_id"),
            number=text_of(fields, "called_did"),
            at=at,
        )

    def _after_ivr(self, fields: dict[str, str], received_at: datetime) -> Question | Played:
        started_at = self._clock.read(text_of(fields, "call_start"))
        question = self._question(fields, started_at or received_at)
        typed = dtmf_of(fields)
        if typed is None:
            return Played(question)
        nothing = typed.get("default_behaviour", "").lower() not in _FALSE
        return replace(
            question,
            kind=QuestionKind.DIGITS,
            at=received_at,
            digits="" if nothing else typed.get("digits", "")[:_LONGEST_DIGITS],
            context=typed.get("name", ""),
        )

    def _notice_full_line(self, report: Report, now: datetime) -> None:
        if isinstance(report, Ended) and report.raw_disposition == LINE_LIMIT and report.line is not None:
            self._lines.full(report.line, now)

    def _instruction(self, action: Action) -> dict[str, Any]:
        match action:
            case Dial():
                return _redirect_outside(action)
            case Ask():
                return self._question_to_caller(action)
            case Fallback():
                return self._redirect_to_people(action)
            case Reject():
                return {"redirect": "blacklist"}
            case Hangup() | Play():
                return {"hangup": 1}
            case _:
                assert_never(action)

    def _question_to_caller(self, ask: Ask) -> dict[str, Any]:
        """One attempt only, for we count them; silence ends at the fallback even if we do not answer any more."""
        prompt = self._prompts.get(ask.prompt) or self._prompts.get("greeting")
        played = {"ivr_play": prompt} if prompt else {}
        return played | {
            "wait_dtmf": {
                "timeout": ask.timeout_s,
                "attempts": 1,
                "maxdigits": ask.digits,
                "name": ask.context,
                "default": self._targets.get(ask.otherwise, ask.otherwise),
            }
        }

    def _redirect_to_people(self, fallback: Fallback) -> dict[str, Any]:
        target = self._targets.get(fallback.target, fallback.target)
        answer: dict[str, Any] = {"redirect": target}
        if target.isdecimal() and len(target) == _EXTENSION_LENGTH:
            answer["return_timeout"] = 0
        if fallback.display:
            answer["caller_name"] = fallback.display[:_LONGEST_NAME]
        return answer


def _redirect_outside(dial: Dial) -> dict[str, Any]:
    return {
        "redirect": dial.line,
        "return_timeout": max(dial.ring_timeout_s, _LEAST_RETURN_TIMEOUT_S),
        "rewrite_forward_number": dial.targets[0].removeprefix("+"),
    }


def _json(value: dict[str, Any]) -> PbxResponse:
    return PbxResponse(msgspec.json.encode(value))


def _safe(echo: str) -> bytes:
    if not _ECHO.fullmatch(echo):
        raise RequestUnreadable("zd_echo: letters and digits only")
    return echo.encode()


def _plain_event(event: str) -> str:
    return _NOT_PLAIN.sub("", event)[:_LONGEST_EVENT]
