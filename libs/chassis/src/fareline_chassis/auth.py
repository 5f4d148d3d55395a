"""Bearer tokens: who may do what for which tenants.

The tokens file holds no token, only the SHA-256 of each: `{"tokens": [{"name": "platform", "sha256": "<64 hex digits>",
"tenants": ["demo"], "scopes": ["orders:write"]}]}`. `*` stands for every tenant or every scope.
"""

import hashlib
import hmac
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Final, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from starlette.requests import Request

from fareline_chassis.files import EVERY, follow_file
from fareline_chassis.problems import Problem

ANY: Final = "*"
_DEMO_DIGEST: Final = hashlib.sha256(b"fareline-demo-token").digest()


class TokensUnusable(Exception):
    """The tokens file cannot be used; the message says where and why."""


@dataclass(frozen=True, slots=True)
class Grant:
    """What the holder of one token may do. `name` is for logs and audit."""

    name: str
    tenants: frozenset[str]
    scopes: frozenset[str]

    @property
    def all_tenants(self) -> bool:
        """Whether the grant is for every tenant, so that `tenants` is no list to filter by."""
        return ANY in self.tenants

    def may(self, scope: str) -> bool:
        """Tell whether `scope` is granted, whatever the tenant."""
        return scope in self.scopes or ANY in self.scopes

    def serves(self, tenant: str) -> bool:
        """Tell whether the grant is for `tenant`."""
        return tenant in self.tenants or self.all_tenants

    def allows(self, tenant: str, scope: str) -> bool:
        """Tell whether `scope` is granted for `tenant`."""
        return self.serves(tenant) and self.may(scope)


class _Token(BaseModel):
    model_config = ConfigDict(extra="forbid")

    name: Annotated[str, Field(min_length=1)]
    sha256: Annotated[str, Field(pattern=r"^[0-9a-fA-F]{64}$")]
    tenants: Annotated[list[str], Field(min_length=1)]
    scopes: Annotated[list[str], Field(min_length=1)]


class _TokensFile(BaseModel):
    model_config = ConfigDict(extra="forbid")

    tokens: list[_Token]


@dataclass(frozen=True, slots=True)
class TokenSource:
    """A tokens file, and whether the demo's token may stand in it."""

    path: Path
    demo: bool


class TokenBook:
    """Every token that is accepted, by digest."""

    def __init__(self, grants: Iterable[tuple[bytes, Grant]], source: TokenSource | None = None) -> None:
        """Hold `grants` by digest; `source` is the file that they came from."""
        self._grants = tuple(grants)
        self._source = source

    async def keep_current(self, every: timedelta = EVERY) -> None:
        """Follow the file until cancelled: who is added or struck out, is so within seconds.

        A file that cannot be used changes nothing and is logged.
        """
        if self._source is not None:
            await follow_file(self._source.path, self._renew, every=every)

    def _renew(self) -> None:
        if self._source is not None:
            self._grants = TokenBook.load(self._source.path, demo=self._source.demo)._grants

    @classmethod
    def load(cls, path: Path, *, demo: bool) -> Self:
        """Read the tokens file.

        Raises TokensUnusable for a missing or invalid file, a name given twice, or the demo's token outside the demo.
        """
        try:
            tokens = _TokensFile.model_validate_json(path.read_bytes()).tokens
        except OSError as error:
            raise TokensUnusable(f"{path}: {error.strerror}") from error
        except ValidationError as error:
            first = error.errors(include_input=False, include_url=False)[0]
            place = "/".join(str(part) for part in first["loc"])
            raise TokensUnusable(f"{path}: {place}: {first['msg']}") from None
        _check(path, tokens, demo=demo)
        grants = ((bytes.fromhex(token.sha256), _grant(token)) for token in tokens)
        return cls(grants, TokenSource(path, demo))

    def grant_for(self, authorization: str | None) -> Grant | None:
        """Return what the value of an `Authorization` header grants; None if it is absent, malformed or unknown."""
        scheme, _, token = (authorization or "").partition(" ")
        token = token.strip()
        if scheme.lower() != "bearer" or not token:
            return None
        digest = hashlib.sha256(token.encode("utf-8", "surrogateescape")).digest()
        found = None
        for known, grant in self._grants:  # all of them, so that the time tells nothing
            if hmac.compare_digest(known, digest):
                found = grant
        return found

    def known(self, authorization: str | None) -> Grant:
        """Return what the value of an `Authorization` header grants. Raises Problem 401 without a known token."""
        grant = self.grant_for(authorization)
        if grant is None:
            raise Problem(
                401, detail="A known bearer token is needed.", headers={"WWW-Authenticate": 'Bearer realm="fareline"'}
            )
        return grant

    def require(self, request: Request, tenant: str | None, scope: str) -> Grant:
        """Return the grant of `request`'s token if it allows `scope` for `tenant`.

        With `tenant=None` (a list across tenants) the scope alone is asked for; filter by `Grant.serves` or, unless
        `all_tenants`, by `tenants`. Raises Problem 401 without a known token, Problem 403 where it is not enough.
        """
        grant = self.known(request.headers.get("authorization"))
        if not (grant.may(scope) if tenant is None else grant.allows(tenant, scope)):
            challenge = f'Bearer realm="fareline", error="insufficient_scope", scope="{scope}"'
            raise Problem(
                403, detail=f"This token does not grant {scope} here.", headers={"WWW-Authenticate": challenge}
            )
        return grant


def _grant(token: _Token) -> Grant:
    return Grant(name=token.name, tenants=frozenset(token.tenants), scopes=frozenset(token.scopes))


def _check(path: Path, tokens: list[_Token], *, demo: bool) -> None:
    for what, values in (("name", [token.name for token in tokens]), ("sha256", [t.sha256.lower() for t in tokens])):
        twice = [value for value, times in Counter(values).items() if times > 1]
        if twice:
            raise TokensUnusable(f"{path}: {what} {twice[0]} is given twice")
    for token in tokens:
        if bytes.fromhex(token.sha256) == _DEMO_DIGEST and not demo:
            raise TokensUnusable(f"{path}: {token.name}: the demo's token works only with FARELINE_DEMO=1")
