"""HTTP connections that go only where an account allows: each hop's URL and every address of its host are checked.

The addresses that were checked are the ones connected to, so a DNS answer that changes in between changes nothing.
"""

import asyncio
import ipaddress
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from urllib.parse import urljoin

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult

from recording_ingest.domain.addresses import AddressRefused, HostRules, check_addresses, check_url
from recording_ingest.domain.recordings import Reason
from recording_ingest.ports.downloads import FetchFailed

Resolve = Callable[[str], Awaitable[list[str]]]
_HOPS = 3
_REDIRECTS = frozenset({301, 302, 303, 307, 308})


@dataclass(frozen=True, slots=True)
class Patience:
    """How long to wait: for a connection, for the next bytes, for everything."""

    connect: timedelta = timedelta(seconds=10)
    read: timedelta = timedelta(seconds=20)
    total: timedelta = timedelta(minutes=10)


async def resolve(host: str) -> list[str]:
    """Return every address of `host`; the host itself where it is one. Raises OSError."""
    found = await asyncio.get_running_loop().getaddrinfo(host, None, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(address[0]) for *_, address in found))


@asynccontextmanager
async def open_url(
    url: str,
    rules: HostRules,
    *,
    headers: Mapping[str, str],
    patience: Patience,
    resolver: Resolve = resolve,
) -> AsyncIterator[aiohttp.ClientResponse]:
    """Yield the answer to a GET, after at most three redirects, each checked like the first URL.

    `headers` go to the first host only, and https is never left for http. Raises FetchFailed (refused_address,
    source_failed); errors of aiohttp while the body is read are the caller's.
    """
    first = url
    for _ in range(_HOPS + 1):
        async with _one_hop(url, rules, headers=headers if _origin(url) == _origin(first) else {}, patience=patience,
                            resolver=resolver) as response:  # fmt: skip
            if response.status not in _REDIRECTS:
                yield response
                return
            target = urljoin(url, response.headers.get("Location", ""))
        if url.startswith("https:") and not target.startswith("https:"):
            raise FetchFailed(Reason.REFUSED_ADDRESS, "redirected from https to another scheme", final=True)
        url = target
    raise FetchFailed(Reason.SOURCE_FAILED, "redirected too often")


@asynccontextmanager
async def _one_hop(
    url: str, rules: HostRules, *, headers: Mapping[str, str], patience: Patience, resolver: Resolve
) -> AsyncIterator[aiohttp.ClientResponse]:
    addresses = await _checked(url, rules, resolver)
    connector = aiohttp.TCPConnector(resolver=_Pinned(addresses), use_dns_cache=False, force_close=True)
    timeout = aiohttp.ClientTimeout(
        total=patience.total.total_seconds(),
        sock_connect=patience.connect.total_seconds(),
        sock_read=patience.read.total_seconds(),
    )
    async with aiohttp.ClientSession(
        connector=connector,
        timeout=timeout,
        trust_env=False,
        auto_decompress=False,
        cookie_jar=aiohttp.DummyCookieJar(),
    ) as session:
        sent = {"Accept-Encoding": "identity", **headers}
        try:
            response = await session.get(url, headers=sent, allow_redirects=False)
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise FetchFailed(Reason.SOURCE_FAILED, f"no answer: {type(error).__name__}") from None
        async with response:
            yield response


async def _checked(url: str, rules: HostRules, resolver: Resolve) -> list[str]:
    try:
        host = check_url(url, rules).hostname or ""
        return list(check_addresses(await resolver(host), rules))
    except AddressRefused as refused:
        raise FetchFailed(Reason.REFUSED_ADDRESS, str(refused), final=True) from None
    except (OSError, UnicodeError):
        raise FetchFailed(Reason.SOURCE_FAILED, "the host's name cannot be resolved") from None


def _origin(url: str) -> str:
    return "/".join(url.split("/", 3)[:3])


class _Pinned(AbstractResolver):
    """Answers with addresses that were checked; it is not asked for IP literals, which were checked as they are."""

    def __init__(self, addresses: list[str]) -> None:
        self._addresses = addresses

    async def resolve(
        self,
        host: str,
        port: int = 0,
        family: socket.AddressFamily = socket.AF_INET,  # noqa: ARG002 - aiohttp's signature
    ) -> list[ResolveResult]:
        return [
            ResolveResult(
                hostname=host,
                host=address,
                port=port,
                family=socket.AF_INET6 if ipaddress.ip_address(address).version == 6 else socket.AF_INET,  # noqa: PLR2004 - IPv6
                proto=0,
                flags=socket.AI_NUMERICHOST,
            )
            for address in self._addresses
        ]

    async def close(self) -> None:
        pass
