"""Who asks is judged before anything of a request is read: strangers cannot make the process parse what they send."""

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from fareline_chassis.auth import TokenBook
from fareline_chassis.problems import Problem

_FOR_ALL = ("/health/", "/metrics", "/openapi.json")


class KnownCallers:
    """Refuses requests without a known token with 401; what a token grants is for the routes to say."""

    def __init__(self, app: ASGIApp, tokens: TokenBook) -> None:
        self._app = app
        self._tokens = tokens

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] == "http" and not scope["path"].startswith(_FOR_ALL):
            try:
                self._tokens.known(Headers(scope=scope).get("authorization"))
            except Problem as refusal:
                await refusal.response()(scope, receive, send)
                return
        await self._app(scope, receive, send)
