"""`python -m call_router explain`: ask a running router, or the call log, why a call goes or went where."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from json import JSONDecodeError
from typing import Any

import httpx

from call_router.domain.identity import call_id_of
from call_router.inbound.words import told_now, told_then

_SECONDS = 10.0
_ROUTER = ("call-router", "--url or CALL_ROUTER_URL")
_CALL_LOG = ("recording-ingest", "--log-url or RECORDING_INGEST_URL")


class CannotExplain(Exception):
    """There is no answer; the text says why, for people."""


@dataclass(frozen=True, slots=True)
class Asker:
    """Asks with a bearer token. `transport` is for tests."""

    token: str
    transport: httpx.BaseTransport | None = None

    def about_a_call_nobody_made(self, url: str, question: Mapping[str, str | None]) -> Iterator[str]:
        """Yield what `POST /v1/route/explain` of the router at `url` says; raises CannotExplain."""
        return told_now(self._ask(_ROUTER, url, lambda http: http.post("/v1/route/explain", json=dict(question))))

    def about_a_call(self, url: str, call_id: str) -> Iterator[str]:
        """Yield what recording-ingest at `url` keeps of a call; raises CannotExplain."""
        return told_then(self._ask(_CALL_LOG, url, lambda http: http.get(f"/v1/calls/{call_id}")))

    def _ask(self, whom: tuple[str, str], url: str, ask: Callable[[httpx.Client], httpx.Response]) -> Any:  # noqa: ANN401 - JSON
        headers = {"authorization": f"Bearer {self.token}"}
        try:
            with httpx.Client(
                base_url=url, headers=headers, timeout=_SECONDS, trust_env=False, transport=self.transport
            ) as http:
                answer = ask(http)
            if not answer.is_error:
                return answer.json()
        except (httpx.HTTPError, httpx.InvalidURL, JSONDecodeError, UnicodeDecodeError) as error:
            raise CannotExplain(_trouble(error, whom, url)) from None
        raise CannotExplain(f"{answer.status_code}: {_detail(answer)}")


def id_of(call: str, account: str | None) -> str:
    """Return our id of a call; with an account, `call` is the PBX's own."""
    return call if account is None else call_id_of(account, call)


def _detail(answer: httpx.Response) -> str:
    try:
        return str(answer.json().get("detail") or answer.reason_phrase)
    except (ValueError, AttributeError):
        return answer.reason_phrase


def _trouble(error: Exception, whom: tuple[str, str], url: str) -> str:
    """Return what was tried, what came of it, and what to do."""
    service, setting = whom
    match error:
        case httpx.TimeoutException():
            found = f"no answer within {_SECONDS:.0f} s"
        case httpx.InvalidURL() | httpx.UnsupportedProtocol():
            found = "that is no address such as http://127.0.0.1:8080"
        case httpx.NetworkError():
            found = f"no connection ({type(error).__name__})"
        case _:
            found = f"something else answered ({type(error).__name__})"
    return f"{service} could not be asked at {url}: {found}. See that it runs there, or say where it does by {setting}."
