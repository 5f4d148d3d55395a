"""The webhooks of PBXs: `/pbx/{kind}/{account}`, the path on which callers wait.

Plain ASGI, for the framework would cost more than the decision. Whatever happens inside, a question that was signed
gets 200 and a usable route.
"""

from collections.abc import Callable, Mapping
from datetime import datetime
from http import HTTPStatus

from starlette.types import Receive, Scope, Send

from call_router.domain.calls import Question
from call_router.inbound.admission import Admission
from call_router.inbound.observing import Observer
from call_router.ports import (
    Echo,
    Ignored,
    JournalRefused,
    Parsed,
    PbxAdapter,
    PbxRequest,
    PbxResponse,
    Played,
    RequestUnreadable,
    Restarted,
    SignatureRefused,
)
from call_router.usecases.answer_question import AnswerQuestion
from call_router.usecases.record_report import RecordReport

PREFIX = "/pbx/"
MOST_BODY_BYTES = 64 * 1024
_TEXT = "text/plain; charset=utf-8"


class PbxWebhooks:
    """The ASGI application of all accounts. `adapters` are found by (kind, account name)."""

    def __init__(
        self,
        *,
        adapters: Mapping[tuple[str, str], PbxAdapter],
        answer: AnswerQuestion,
        record: RecordReport,
        observer: Observer,
        admission: Admission,
        clock: Callable[[], datetime],
    ) -> None:
        self._admission = admission
        self._adapters = adapters
        self._answer = answer
        self._record = record
        self._observer = observer
        self._clock = clock

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        kind, _, rest = scope["path"].removeprefix(PREFIX).partition("/")
        account, _, path = rest.partition("/")
        adapter = self._adapters.get((kind, account))
        response: PbxResponse | None
        if adapter is None:
            response = _plain(HTTPStatus.NOT_FOUND)
        elif scope["method"] not in ("GET", "POST"):
            response = _plain(HTTPStatus.METHOD_NOT_ALLOWED)
        else:
            response = await self._admitted(scope, receive, adapter, account=account, path=path)
        if response is not None:
            await _send(send, response)

    async def _admitted(
        self, scope: Scope, receive: Receive, adapter: PbxAdapter, *, account: str, path: str
    ) -> PbxResponse | None:
        """Let a request in, if there is room; None where nobody waits for the response any more."""
        admission, client = self._admission, scope["client"]
        address = client[0] if client else ""
        if admission.shut_out(address):
            return _plain(HTTPStatus.TOO_MANY_REQUESTS)
        if admission.flooded:
            self._observer.shed("call")
            return _plain(HTTPStatus.SERVICE_UNAVAILABLE)
        admission.under_way += 1
        try:
            return await self._respond(scope, receive, adapter, account=account, path=path, address=address)
        finally:
            admission.under_way -= 1

    async def _respond(
        self, scope: Scope, receive: Receive, adapter: PbxAdapter, *, account: str, path: str, address: str
    ) -> PbxResponse | None:
        try:
            body = await _body(receive)
        except _Gone:
            return None
        if body is None:
            return _plain(HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
        request = PbxRequest(
            method=scope["method"],
            path=path,
            query=scope["query_string"],
            headers={name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]},
            body=body,
            received_at=self._clock(),
        )
        try:
            parsed = adapter.parse(request)
        except SignatureRefused as refused:
            self._admission.refused(address)
            self._observer.refused(account, refused.reason)
            return _plain(HTTPStatus.UNAUTHORIZED)
        except RequestUnreadable as error:
            self._observer.unreadable(account, str(error))
            return _plain(HTTPStatus.BAD_REQUEST, str(error))
        except Exception as error:  # noqa: BLE001 - whatever an adapter overlooked, the answer is a clear one
            self._observer.trouble("parse", error)
            return _plain(HTTPStatus.BAD_REQUEST)
        if not isinstance(parsed, Echo):
            self._admission.trusted(address)
        return await self._handle(parsed, adapter, account)

    async def _handle(self, parsed: Parsed, adapter: PbxAdapter, account: str) -> PbxResponse:
        match parsed:
            case Question() | Restarted() | Played():
                if isinstance(parsed, Restarted) and parsed.clock_offset is not None:
                    self._observer.clock_measured(account, parsed.clock_offset)
                overloaded = not self._admission.may_decide(account)
                answered = await self._answer(parsed, adapter, overloaded=overloaded)
                self._observer.answered(account, answered)
                return adapter.render(answered.question, answered.decision)
            case Echo():
                return parsed.response
            case Ignored():
                self._observer.ignored(account, parsed.event)
                return adapter.accepted()
            case _:
                try:
                    await self._record(parsed, account=account)
                except JournalRefused as error:
                    self._observer.trouble("journal", error)
                    return _plain(HTTPStatus.SERVICE_UNAVAILABLE)
                self._observer.reported(account, parsed)
                return adapter.accepted()


class _Gone(Exception):
    """Whoever asked hung up before the body was whole."""


async def _body(receive: Receive) -> bytes | None:
    """Return the whole body, None if it is larger than we read; raises _Gone for one that was broken off."""
    parts: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise _Gone
        part = message.get("body", b"")
        size += len(part)
        if size > MOST_BODY_BYTES:
            return None
        parts.append(part)
        if not message.get("more_body", False):
            return b"".join(parts)


def _plain(status: HTTPStatus, text: str = "") -> PbxResponse:
    return PbxResponse((text or status.phrase).encode(), content_type=_TEXT, status=status)


async def _send(send: Send, response: PbxResponse) -> None:
    headers = [
        (b"content-type", response.content_type.encode()),
        (b"content-length", str(len(response.body)).encode()),
    ]
    await send({"type": "http.response.start", "status": int(response.status), "headers": headers})
    await send({"type": "http.response.body", "body": response.body})
