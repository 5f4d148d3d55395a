"""Zadarma as call-router meets it: signed form posts, answers that name an extension.

What number the other side sees and whether the call is recorded hang on the extension there, so an answer is read with
the account's `lines` beside it.
"""

import json
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from time import perf_counter

import httpx

from fareline_contracts.accounts import Account
from fareline_devstack.story.calls import Answered, PbxRefused
from fareline_devstack.story.routes import Do, Route
from fareline_devstack.story.scene import Via
from fareline_devstack.story.signatures import zadarma_webhook


@dataclass(frozen=True, slots=True)
class Zadarma:
    """One Zadarma account that sends its webhooks to call-router at `router_url`."""

    http: httpx.AsyncClient
    router_url: str
    account: Account

    def call(self, caller: str, number: str) -> "ZadarmaCall":
        """Return a new call of `caller` to `number`, both in E.164; nothing is sent yet."""
        return ZadarmaCall(
            pbx=self,
            caller=caller,
            number=number,
            pbx_call_id="in_" + secrets.token_hex(20),
            call_start=f"{datetime.now(UTC):%Y-%m-%d %H:%M:%S}",
        )

    async def post(self, form: dict[str, str], *, signature: str | None = None) -> tuple[bytes, timedelta]:
        """Send one webhook, rightly signed unless `signature` is given, and return the body of the answer."""
        signed = signature or zadarma_webhook(self.account.secrets[0].get_secret_value(), form)
        url = f"{self.router_url}/pbx/zadarma/{self.account.name}"
        began = perf_counter()
        answer = await self.http.post(url, data=form, headers={"Signature": signed})
        took = timedelta(seconds=perf_counter() - began)
        if answer.status_code != httpx.codes.OK:
            raise PbxRefused(answer.status_code, answer.text[:200])
        return answer.content, took

    def read(self, body: bytes) -> Route:
        """Return what an answer tells Zadarma to do."""
        said = json.loads(body or b"{}")
        if "wait_dtmf" in said:
            names = {theirs: ours for ours, theirs in self.account.prompts.items()}
            prompt = str(said.get("ivr_play", ""))
            return Route(Do.ASK, prompt=names.get(prompt, prompt))
        if said.get("hangup"):
            return Route(Do.HANGUP)
        if said.get("redirect") == "blacklist":
            return Route(Do.REJECT)
        if "rewrite_forward_number" in said:
            return self._dial(said["redirect"], said["rewrite_forward_number"])
        if "redirect" in said:
            names = {theirs: ours for ours, theirs in self.account.targets.items()}
            target = str(said["redirect"])
            return Route(Do.FALLBACK, target=names.get(target, target), display=said.get("caller_name"))
        return Route(Do.NOTHING)

    def _dial(self, extension: str, phone: str) -> Route:
        line = next((line for line in self.account.lines if line.ext == str(extension)), None)
        return Route(
            Do.DIAL,
            phone="+" + phone.lstrip("+"),
            shows=line.caller_id if line else f"unknown line {extension}",
            recorded=line.record if line else None,
        )


@dataclass(frozen=True, slots=True)
class ZadarmaCall:
    """One call at Zadarma; `call_start` is in the account's time zone, which is UTC."""

    pbx: Zadarma
    caller: str
    number: str
    pbx_call_id: str
    call_start: str
    via: Via = Via.ZADARMA

    @property
    def account(self) -> str:
        """Return the account's name."""
        return self.pbx.account.name

    async def start(self) -> Answered:
        """Send NOTIFY_START."""
        return await self._ask(self._form("NOTIFY_START"))

    async def start_forged(self) -> tuple[int, timedelta]:
        """Send NOTIFY_START signed with another secret and return the status that came back, and when."""
        form, began = self._form("NOTIFY_START"), perf_counter()
        try:
            await self.pbx.post(form, signature=zadarma_webhook("another secret", form))
        except PbxRefused as refusal:
            return refusal.status, timedelta(seconds=perf_counter() - began)
        return int(httpx.codes.OK), timedelta(seconds=perf_counter() - began)

    async def typed(self, digits: str) -> Answered:
        """Send NOTIFY_IVR with what was typed."""
        result = {
            "wait_dtmf[name]": "fl",
            "wait_dtmf[digits]": digits,
            "wait_dtmf[default_behaviour]": "" if digits else "1",
        }
        return await self._ask(self._form("NOTIFY_IVR") | result)

    async def answered_by(self, phone: str) -> None:
        """Send NOTIFY_ANSWER: `phone` has picked up."""
        form = self._form("NOTIFY_ANSWER") | {"destination": phone.lstrip("+")}
        del form["called_did"]
        await self.pbx.post(form)

    async def ended(self, *, talked: timedelta, recording_id: str) -> None:
        """Send NOTIFY_END of a call that was answered and recorded."""
        outcome = {
            "duration": str(round(talked.total_seconds())),
            "disposition": "answered",
            "status_code": "16",
            "is_recorded": "1",
            "call_id_with_rec": recording_id,
        }
        await self.pbx.post(self._form("NOTIFY_END") | outcome)

    async def recorded(self, recording_id: str) -> None:
        """Send NOTIFY_RECORD: the recording can be fetched."""
        await self.pbx.post(
            {"event": "NOTIFY_RECORD", "pbx_call_id": self.pbx_call_id, "call_id_with_rec": recording_id}
        )

    async def _ask(self, form: dict[str, str]) -> Answered:
        body, took = await self.pbx.post(form)
        return Answered(self.pbx.read(body), took)

    def _form(self, event: str) -> dict[str, str]:
        return {
            "event": event,
            "call_start": self.call_start,
            "pbx_call_id": self.pbx_call_id,
            "caller_id": self.caller,
            "called_did": self.number.lstrip("+"),
        }
