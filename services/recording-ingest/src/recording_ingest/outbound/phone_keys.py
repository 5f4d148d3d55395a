"""The file of keys under which phones are kept: one list to find by, one to read by, the first of each in use.

`{"lookup": [{"id": 2, "key": "<base64 of 32 bytes>"}, {"id": 1, …}], "sealing": [{"id": 2, …}, …]}`. Keys after the
first are those of earlier: what was written under them is still found and read until `reseal` has rewritten it.
"""

import base64
import binascii
import hashlib
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Final

from pydantic import BaseModel, ConfigDict, Field, ValidationError

_BYTES: Final = 32
_DEMO_DIGESTS: Final = frozenset(
    {
        "d1285ec3bc7cab25a5b86b848eec5660360d7ceccbe7207a7006a53d61e397be",
        "3c8a6c8a7fcd1ca02a50cad0cc0d52383747c909f4bbe4ed894cdca8e0941139",
    }
)


class KeysUnusable(Exception):
    """The file of keys cannot be used; the message says where and why, and no key."""


@dataclass(frozen=True, slots=True, repr=False)
class Key:
    """A secret of 32 bytes and its number, which is written beside everything made with it."""

    id: int
    secret: bytes


@dataclass(frozen=True, slots=True, repr=False)
class PhoneKeys:
    """Keys by purpose, each list with the one in use first. No key serves two purposes."""

    lookup: tuple[Key, ...]
    sealing: tuple[Key, ...]

    @classmethod
    def load(cls, path: Path, *, demo: bool) -> "PhoneKeys":
        """Read the file. Raises KeysUnusable: missing, invalid, a key used twice, the demo's keys outside the demo."""
        try:
            given = _File.model_validate_json(path.read_bytes())
        except OSError as error:
            raise KeysUnusable(f"{path}: {error.strerror}") from error
        except ValidationError as error:
            first = error.errors(include_input=False, include_url=False)[0]
            place = "/".join(str(part) for part in first["loc"])
            raise KeysUnusable(f"{path}: {place}: {first['msg']}") from None
        keys = cls(_keys(path, "lookup", given.lookup), _keys(path, "sealing", given.sealing))
        _check(path, keys, demo=demo)
        return keys


class _Entry(BaseModel):
    model_config = ConfigDict(extra="forbid")

    id: Annotated[int, Field(ge=1, le=65_535)]
    key: str


class _File(BaseModel):
    model_config = ConfigDict(extra="forbid")

    lookup: Annotated[list[_Entry], Field(min_length=1)]
    sealing: Annotated[list[_Entry], Field(min_length=1)]


def _keys(path: Path, name: str, entries: list[_Entry]) -> tuple[Key, ...]:
    if len({entry.id for entry in entries}) < len(entries):
        raise KeysUnusable(f"{path}: {name}: an id is given twice")
    return tuple(Key(entry.id, _secret(f"{path}: {name}/{entry.id}", entry.key)) for entry in entries)


def _secret(place: str, text: str) -> bytes:
    try:
        secret = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise KeysUnusable(f"{place}: key is not base64") from None
    if len(secret) != _BYTES:
        raise KeysUnusable(f"{place}: key has {len(secret)} bytes, {_BYTES} are needed")
    return secret


def _check(path: Path, keys: PhoneKeys, *, demo: bool) -> None:
    secrets = [key.secret for key in (*keys.lookup, *keys.sealing)]
    if max(Counter(secrets).values()) > 1:
        raise KeysUnusable(f"{path}: a key is given twice; each purpose and each id needs its own")
    if not demo and any(hashlib.sha256(secret).hexdigest() in _DEMO_DIGESTS for secret in secrets):
        raise KeysUnusable(f"{path}: the demo's keys work only with FARELINE_DEMO=1")
