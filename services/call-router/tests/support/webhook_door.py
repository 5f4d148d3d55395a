"""The webhooks' door with both adapters behind it, and a journal that reads every event back by its contract."""

import asyncio
import json
from dataclasses import dataclass, field
from urllib.parse import urlencode

from pbx_messages import GENERIC, NOW, ZADARMA, adapter_of, generic_headers, zadarma_signature
from prometheus_client import CollectorRegistry
from router_use import Desk
from router_world import World, binding

from call_router.domain.reports import Report
from call_router.inbound.admission import Admission, Bounds
from call_router.inbound.observing import Observer
from call_router.inbound.pbx import PbxWebhooks
from call_router.ports import Answered, CallMemory
from call_router.records.events import CallEvents, EventRecord
from call_router.usecases.answer_question import AnswerQuestion
from call_router.usecases.record_report import RecordReport
from fareline_contracts.topics import CALLS

ACCOUNTS = {("zadarma", "demo-zadarma"): ZADARMA, ("generic", "demo-generic"): GENERIC}
Headers = dict[str, str]


@dataclass
class ContractJournal:
    """Takes only what readers of the call topic can read."""

    events: list[EventRecord] = field(default_factory=list)
    maker: CallEvents = field(default_factory=lambda: CallEvents("/test"))

    async def answered(self, answered: Answered, *, account: str, trace: str | None) -> None:
        self._take(self.maker.routed(answered, account=account, trace=trace))

    async def reported(self, report: Report, call: CallMemory, *, account: str, received_at) -> None:
        self._take(self.maker.reported(report, call, account=account, received_at=received_at))

    def _take(self, event: EventRecord) -> None:
        CALLS.records[event.kind].model_validate_json(event.value)
        assert "\\u0000" not in event.value.decode()
        assert all("\x00" not in value.decode() for _, value in event.headers)
        self.events.append(event)


class _Watchful(Observer):
    """An observer that a test asks what went wrong."""

    def __init__(self, registry: CollectorRegistry, kinds: dict[str, str], troubles: list[str]) -> None:
        super().__init__(registry, kinds)
        self._troubles = troubles

    def trouble(self, what: str, error: Exception) -> None:
        self._troubles.append(f"{what}: {error!r}")


class Door:
    """Put requests to `send`; the world behind it is a small one with one order."""

    def __init__(self) -> None:
        self.desk = Desk(World(now=NOW))
        self.desk.world.put(binding())
        self.journal = ContractJournal()
        store, troubles = self.desk.world.store, self.desk.troubles
        answer = AnswerQuestion(
            self.desk.decide,
            store,
            self.journal,
            self.desk.clock,
            on_trouble=lambda what, error: troubles.append(f"{what}: {error!r}"),
        )
        self._app = PbxWebhooks(
            adapters={key: adapter_of(account) for key, account in ACCOUNTS.items()},
            answer=answer,
            record=RecordReport(store, self.journal, self.desk.clock),
            observer=_Watchful(CollectorRegistry(), {name: kind for kind, name in ACCOUNTS}, troubles),
            admission=Admission(Bounds(a_second=10**9, refused_a_minute=10**9), lambda: 0.0),
            clock=self.desk.clock,
        )

    def send(
        self, path: str, body: bytes, headers: Headers, *, method: str = "POST", query: bytes = b"", parts: int = 1
    ) -> tuple[int, bytes]:
        """Return status and body of the response to a request whose body comes in so many parts; none: it is broken off."""
        size = max(1, -(-len(body) // max(parts, 1)))
        pieces = [body[start : start + size] for start in range(0, len(body), size)] or [b""]
        pieces = pieces if parts else []
        incoming = [
            {"type": "http.request", "body": piece, "more_body": place + 1 < len(pieces)}
            for place, piece in enumerate(pieces)
        ]
        sent = []

        async def receive():
            return incoming.pop(0) if incoming else {"type": "http.disconnect"}

        async def send(message):
            sent.append(message)

        scope = {
            "type": "http",
            "method": method,
            "path": path,
            "query_string": query,
            "headers": [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in headers.items()],
            "client": ("192.0.2.1", 4711),
        }
        asyncio.run(self._app(scope, receive, send))
        if not sent:
            return 0, b""
        return sent[0]["status"], sent[1]["body"]

    def zadarma(self, fields, *, signature: str | None = "", body: bytes | None = None, **headers: str):
        """Send a form to Zadarma's account; an empty `signature` means the right one, None no header."""
        sent = {"content-type": "application/x-www-form-urlencoded", **headers}
        if signature is not None:
            sent["signature"] = signature or zadarma_signature(dict(fields))
        encoded = urlencode(fields, errors="surrogatepass").encode() if body is None else body
        return self.send("/pbx/zadarma/demo-zadarma", encoded, sent)

    def generic(self, message: object, **headers: str):
        """Send a message (bytes as they are) to the generic account, signed."""
        body = message if isinstance(message, bytes) else json.dumps(message).encode()
        return self.send("/pbx/generic/demo-generic", body, generic_headers(body) | headers)
