"""Routes on which the usual question is answered without FastAPI, whose way to a handler costs more than the query.

FastAPI declares the same routes, describes them, and answers whatever is not usual here: a field that is wrong, another
method, another content type. A test asks both the same things.
"""

import json
from collections.abc import Awaitable, Callable
from typing import Final, TypeVar

from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ValidationError
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Match, Route
from starlette.types import Message, Receive, Scope, Send

_HANDED_OVER: Final = "recording_ingest.handed_over"
_JSON: Final = "application/json"
M = TypeVar("M", bound=BaseModel)


class NotUsual(Exception):
    """A question that FastAPI has to answer."""


class QuickRoute(Route):
    """Answers `method` on `path` by `answer`, which gets the request unchecked.

    Where that raises NotUsual or RequestValidationError, before it has done anything, the application's other routes
    are asked. Whatever else it raises is answered as everywhere.
    """

    def __init__(self, method: str, path: str, answer: Callable[[Request], Awaitable[Response]]) -> None:
        super().__init__(path, self._serve, methods=[method], include_in_schema=False)
        self._method = method
        self._answer = answer

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """Match this method alone, and nothing that was handed over."""
        if scope["type"] != "http" or scope["method"] != self._method or _HANDED_OVER in scope:
            return Match.NONE, {}
        return super().matches(scope)

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer the request, or have it answered."""
        heard = _Heard(receive)
        try:
            response = await self._answer(Request(scope, heard))
        except (NotUsual, RequestValidationError):
            scope[_HANDED_OVER] = True
            await scope["app"].router(scope, heard.again, send)
        else:
            await response(scope, receive, send)

    async def _serve(self, request: Request) -> Response:
        return await self._answer(request)


async def body_as(request: Request, model: type[M]) -> M:
    """Return the JSON body of a request without query as a `model`. Raises NotUsual."""
    if request.scope["query_string"] or request.headers.get("content-type") != _JSON:
        raise NotUsual
    try:
        return model.model_validate(json.loads(await request.body()))
    except (ValueError, RecursionError, ClientDisconnect):  # ValidationError is a ValueError
        raise NotUsual from None


def place_as(request: Request, model: type[M]) -> M:
    """Return the parameters in the path of a request without query as a `model`. Raises NotUsual."""
    if request.scope["query_string"]:
        raise NotUsual
    try:
        return model.model_validate(request.path_params)
    except ValidationError:
        raise NotUsual from None


class _Heard:
    """Hears a request's body, and can tell it again."""

    def __init__(self, receive: Receive) -> None:
        self._receive = receive
        self._heard: list[Message] = []

    async def __call__(self) -> Message:
        message = await self._receive()
        self._heard.append(message)
        return message

    async def again(self) -> Message:
        """Return what was heard, from the beginning, then what comes."""
        return self._heard.pop(0) if self._heard else await self._receive()
