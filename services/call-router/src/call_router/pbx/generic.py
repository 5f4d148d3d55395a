"""The generic contract: JSON questions and reports, signed as Standard Webhooks prescribe.

`webhook-signature` holds one or more `v1,<base64>` of HMAC-SHA256 over `id.timestamp.body`; the timestamp may be five
minutes off. Models of all messages: `fareline_contracts.pbx_generic`.
"""

import base64
import binascii
import hmac
from datetime import timedelta
from typing import TypedDict

import msgspec
from pydantic import ValidationError
from pydantic_core import ErrorDetails

from call_router.domain.calls import DialResult, Question, QuestionKind
from call_router.domain.decisions import Decision
from call_router.domain.identity import call_id_of
from call_router.domain.inventory import Account
from call_router.domain.reports import Ended, Progress, RecordingReady, Report
from call_router.pbx.signatures import any_equal
from call_router.ports import Ignored, Parsed, PbxRequest, PbxResponse, RequestUnreadable, SignatureRefused
from call_router.records.actions import action_json
from fareline_chassis.privacy import redact_phones
from fareline_contracts import pbx_generic as contract
from fareline_contracts.accounts import Account as AccountEntry

TOLERANCE = timedelta(minutes=5)
_KNOWN_EVENTS = ("call.started", "call.digits", "call.dialed", "call.progress", "call.ended", "recording.ready")
_MOST_FIELDS_TOLD = 5
_LONGEST_EVENT = 40
_LONGEST_TIMESTAMP = 20
_MOST_SIGNATURES = 10
_Question = contract.CallStarted | contract.CallDigits | contract.CallDialed
_Report = contract.CallProgressReport | contract.CallEndedReport | contract.RecordingReadyReport
_ACCEPTED = PbxResponse(b'{"v":1,"ok":true}')


class _Details(TypedDict, total=False):
    digits: str
    context: str
    result: DialResult
    ring: timedelta | None


class _AnyEvent(msgspec.Struct):
    event: str


def adapter(entry: AccountEntry, facts: Account) -> "GenericAdapter":
    """Return the adapter of one account; its secrets are `whsec_` and base64."""
    return GenericAdapter(facts, tuple(_key(secret.get_secret_value()) for secret in entry.secrets))


class GenericAdapter:
    """A PBX that speaks the generic contract."""

    def __init__(self, account: Account, keys: tuple[bytes, ...]) -> None:
        self._account = account
        self._keys = keys

    def parse(self, request: PbxRequest) -> Parsed:
        """Verify and read a message."""
        self._verify(request)
        try:
            message = contract.REQUEST.validate_json(request.body)
        except ValidationError as error:
            return _unknown_event(request.body, error)
        if isinstance(message, contract.CallStarted | contract.CallDigits | contract.CallDialed):
            return self._question(message)
        return _report(message)

    def fit(self, question: Question, decision: Decision) -> Decision:  # noqa: ARG002 - the contract can do everything
        """Return the decision as it is."""
        return decision

    def render(self, question: Question, decision: Decision) -> PbxResponse:
        """Return the answer of the contract."""
        call_id = call_id_of(self._account.name, question.pbx_call_id)
        return PbxResponse(
            msgspec.json.encode(
                {
                    "v": 1,
                    "call_id": question.pbx_call_id,
                    "decision_id": f"{call_id}-{question.so_far.step}",
                    "reason": decision.reason,
                    "actions": [action_json(action) for action in decision.actions],
                }
            )
        )

    def accepted(self) -> PbxResponse:
        """Return the answer to a report."""
        return _ACCEPTED

    def _verify(self, request: PbxRequest) -> None:
        headers = request.headers
        message_id, sent_at, given = (headers.get(f"webhook-{name}", "") for name in ("id", "timestamp", "signature"))
        if not (message_id and sent_at and given):
            raise SignatureRefused("missing")
        if len(sent_at) > _LONGEST_TIMESTAMP or not sent_at.isascii() or not sent_at.isdecimal():
            raise SignatureRefused("malformed")
        signed = f"{message_id}.{sent_at}.".encode() + request.body
        expected = [base64.b64encode(hmac.new(key, signed, "sha256").digest()) for key in self._keys]
        versions = (entry.partition(",") for entry in given.split(" ")[:_MOST_SIGNATURES])
        if not any_equal(expected, [value.encode() for version, _, value in versions if version == "v1"]):
            raise SignatureRefused("wrong")
        if abs(request.received_at.timestamp() - int(sent_at)) > TOLERANCE.total_seconds():
            raise SignatureRefused("outdated")

    def _question(self, message: _Question) -> Question:
        return Question(
            kind=QuestionKind(message.event),
            account=self._account,
            pbx_call_id=message.call_id,
            caller=message.from_,
            number=message.to,
            at=message.at,
            **_details(message),
        )


def _details(message: _Question) -> _Details:
    """Return what a question has beyond a call's beginning."""
    match message:
        case contract.CallStarted():
            return {}
        case contract.CallDigits():
            return {"digits": message.digits, "context": message.context}
        case contract.CallDialed():
            ring = None if message.ring_s is None else timedelta(seconds=message.ring_s)
            return {"context": message.context, "result": DialResult(message.result.value), "ring": ring}


def _report(message: _Report) -> Report:
    match message:
        case contract.CallProgressReport():
            return Progress(message.call_id, message.at, message.state.value, message.leg)
        case contract.RecordingReadyReport():
            return RecordingReady(
                pbx_call_id=message.call_id,
                at=message.at,
                recording_id=message.recording_id,
                part=message.part,
                channels=message.channels,
                url=message.url,
            )
        case contract.CallEndedReport():
            return _ended(message)


def _ended(message: contract.CallEndedReport) -> Ended:
    return Ended(
        pbx_call_id=message.call_id,
        at=message.at,
        disposition=message.disposition.value,
        cause=message.cause,
        hangup_by=None if message.hangup_by is None else message.hangup_by.value,
        started_at=message.started_at,
        ringing_at=message.ringing_at,
        answered_at=message.answered_at,
        bridged_at=message.bridged_at,
        ended_at=message.ended_at,
        duration=_talk_time(message),
        announced=message.announced,
        recorded=message.recorded,
        raw_disposition=message.disposition.value,
    )


def _talk_time(message: contract.CallEndedReport) -> timedelta | None:
    if message.bridged_at is None or message.ended_at is None:
        return None
    return max(message.ended_at - message.bridged_at, timedelta(0))


def _unknown_event(body: bytes, error: ValidationError) -> Ignored:
    """Return that a message is of a kind we do not know yet; raises RequestUnreadable for one that is just wrong."""
    try:
        event = msgspec.json.decode(body, type=_AnyEvent).event
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        event = None
    if event is not None and event not in _KNOWN_EVENTS:
        return Ignored("".join(filter(_is_plain, event))[:_LONGEST_EVENT])
    found = error.errors(include_input=False, include_url=False, include_context=False)
    raise RequestUnreadable("; ".join(map(_told, found[:_MOST_FIELDS_TOLD]))) from None


def _told(one: ErrorDetails) -> str:
    """Return the path of a field and what is wrong with it, in words and without its value."""
    if one["type"] in ("union_tag_not_found", "union_tag_invalid"):  # pydantic's text repeats the value
        return f"event: should be one of {', '.join(_KNOWN_EVENTS)}"
    path = one["loc"][1:]  # the first is the event, whose model was chosen by it
    return f"{'/'.join(map(str, path)) or 'body'}: {redact_phones(one['msg'].removeprefix('Value error, '))}"


def _is_plain(letter: str) -> bool:
    return letter.isascii() and (letter.isalpha() or letter in "._-")


def _key(secret: str) -> bytes:
    text = secret.removeprefix("whsec_")
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), validate=True)
    except binascii.Error:
        return secret.encode()
