"""A PBX of one's own, speaking the generic JSON contract signed by Standard Webhooks."""

import secrets
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from time import perf_counter, time

import httpx

from fareline_contracts.accounts import Account
from fareline_contracts.fields import Record
from fareline_contracts.pbx_generic import (
    Answer,
    Ask,
    CallDigits,
    CallEndedReport,
    CallStarted,
    Dial,
    DigitsComplete,
    Disposition,
    Fallback,
    Hangup,
    Play,
    Reject,
)
from fareline_devstack.story.calls import Answered, PbxRefused
from fareline_devstack.story.routes import Do, Route
from fareline_devstack.story.scene import Via
from fareline_devstack.story.signatures import standard_webhook


@dataclass(frozen=True, slots=True)
class GenericPbx:
    """One PBX of account kind `generic` that asks call-router at `router_url`."""

    http: httpx.AsyncClient
    router_url: str
    account: Account

    def call(self, caller: str, number: str) -> "GenericCall":
        """Return a new call of `caller` to `number`, both in E.164; nothing is sent yet."""
        return GenericCall(pbx=self, caller=caller, number=number, pbx_call_id="c-" + secrets.token_hex(8))

    async def post(self, message: Record) -> tuple[Answer, timedelta]:
        """Send one signed question and return the answer."""
        content, took = await self._send(message)
        return Answer.model_validate_json(content), took

    async def report(self, message: Record) -> None:
        """Send one signed report."""
        await self._send(message)

    async def _send(self, message: Record) -> tuple[bytes, timedelta]:
        body = message.to_json()
        message_id, timestamp = "msg_" + secrets.token_hex(12), int(time())
        secret = self.account.secrets[0].get_secret_value()
        headers = {
            "content-type": "application/json",
            "webhook-id": message_id,
            "webhook-timestamp": str(timestamp),
            "webhook-signature": standard_webhook(secret, message_id=message_id, timestamp=timestamp, body=body),
        }
        began = perf_counter()
        answer = await self.http.post(
            f"{self.router_url}/pbx/generic/{self.account.name}", content=body, headers=headers
        )
        took = timedelta(seconds=perf_counter() - began)
        if answer.status_code != httpx.codes.OK:
            raise PbxRefused(answer.status_code, answer.text[:200])
        return answer.content, took


@dataclass(slots=True)
class GenericCall:
    """One call at such a PBX; `context` is what the last answer gave to be handed back."""

    pbx: GenericPbx
    caller: str
    number: str
    pbx_call_id: str
    context: str = ""
    via: Via = Via.GENERIC

    @property
    def account(self) -> str:
        """Return the account's name."""
        return self.pbx.account.name

    async def start(self) -> Answered:
        """Ask `call.started`."""
        return await self._ask(
            CallStarted(call_id=self.pbx_call_id, from_=self.caller, to=self.number, at=datetime.now(UTC))
        )

    async def typed(self, digits: str) -> Answered:
        """Ask `call.digits`."""
        message = CallDigits(
            call_id=self.pbx_call_id,
            from_=self.caller,
            to=self.number,
            at=datetime.now(UTC),
            digits=digits,
            context=self.context,
            complete=DigitsComplete.LENGTH if digits else DigitsComplete.TIMEOUT,
            answered=True,
        )
        return await self._ask(message)

    async def ended(self, *, talked: timedelta | None) -> None:
        """Report `call.ended`: both talked until now for so long, or nobody was reached."""
        now = datetime.now(UTC)
        bridged = None if talked is None else now - talked
        message = CallEndedReport(
            call_id=self.pbx_call_id,
            from_=self.caller,
            to=self.number,
            at=now,
            disposition=Disposition.NO_ANSWER if talked is None else Disposition.ANSWERED,
            answered_at=bridged,
            bridged_at=bridged,
            ended_at=now,
            recorded=False,
        )
        await self.pbx.report(message)

    async def _ask(self, message: Record) -> Answered:
        answer, took = await self.pbx.post(message)
        last = answer.actions[-1]
        if isinstance(last, Ask | Dial):
            self.context = last.context
        return Answered(route_of(answer), took)


def route_of(answer: Answer) -> Route:
    """Return what an answer of the generic contract tells the PBX to do."""
    match answer.actions[-1]:
        case Dial() as dial:
            return Route(
                Do.DIAL,
                phone=dial.targets[0],
                shows=dial.caller_id,
                recorded=dial.record != "off",
                reason=answer.reason,
            )
        case Ask() as ask:
            return Route(Do.ASK, prompt=ask.prompt, reason=answer.reason)
        case Fallback() as fallback:
            return Route(Do.FALLBACK, target=fallback.target, display=fallback.display, reason=answer.reason)
        case Reject():
            return Route(Do.REJECT, reason=answer.reason)
        case Hangup():
            return Route(Do.HANGUP, reason=answer.reason)
        case Play():
            return Route(Do.NOTHING, reason=answer.reason)
