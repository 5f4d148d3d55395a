"""How large a request may be, judged before anything of it is parsed."""

from collections.abc import Callable

from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from fareline_chassis.problems import Problem

_TOO_LARGE = 413


class BodyLimit:
    """Refuses bodies larger than `limit_of(scope)` bytes with 413, whether or not they announce their length."""

    def __init__(self, app: ASGIApp, limit_of: Callable[[Scope], int]) -> None:
        self._app = app
        self._limit_of = limit_of

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        limit, seen = self._limit_of(scope), 0
        announced = dict(scope["headers"]).get(b"content-length", b"0")
        if not announced.isdigit() or int(announced) > limit:
            response = Problem(_TOO_LARGE, detail=f"At most {limit} bytes are accepted here.").response()
            await response(scope, receive, send)
            return

        async def counted() -> Message:
            nonlocal seen
            message = await receive()
            seen += len(message.get("body", b""))
            if seen > limit:
                raise HTTPException(_TOO_LARGE, f"At most {limit} bytes are accepted here.")
            return message

        await self._app(scope, counted, send)
