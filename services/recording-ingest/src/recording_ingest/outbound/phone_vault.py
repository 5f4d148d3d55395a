"""Phones at rest: a keyed hash to find them by, a ciphertext to read them from. docs/adr/0015 says why both.

Hash: two bytes of key id, sixteen of HMAC-SHA256. Ciphertext: two bytes of key id, twelve of nonce, AES-256-GCM under
a key that is derived for each call, so that a ciphertext is worthless beside another call's row.
"""

import hmac
import os
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from fareline_chassis.privacy import mask_phone
from recording_ingest.outbound.phone_keys import Key, PhoneKeys

_ID, _NONCE, _HASH = 2, 12, 16
_RECENT_CALLS: Final = 4096
_RECENT_PHONES: Final = 4 * _RECENT_CALLS
"""A call is folded again with each of its events, within minutes: so many keys (2.5 KiB each) and phones (under 1 KiB)
are not made anew. At 50 calls a second a call of a minute has 3,000 others and their 6,000 phones beside it."""
_FIND: Final = b"fareline phone lookup 1\x00"
_READ: Final = b"fareline phone sealing 1\x00"
_SIGN: Final = b"fareline cursor signing 1\x00"


class Unreadable(Exception):
    """A ciphertext that no key of the file opens; `key_id` is the one it asks for."""

    def __init__(self, key_id: int) -> None:
        super().__init__(f"sealed under key {key_id}: not in the key file, or not what was written")
        self.key_id = key_id


class PhoneVault:
    """Hashes and seals phones, and opens them again."""

    def __init__(self, keys: PhoneKeys) -> None:
        self._lookup = keys.lookup
        self._sealing = {key.id: key for key in keys.sealing}
        self._current = keys.sealing[0]
        self._cipher = lru_cache(_RECENT_CALLS)(_cipher)
        self.at_rest = lru_cache(_RECENT_PHONES)(self._at_rest)

    @property
    def lookup_id(self) -> bytes:
        """The two bytes with which every hash in use begins."""
        return _id_of(self._lookup[0])

    @property
    def sealing_id(self) -> bytes:
        """The two bytes with which every ciphertext in use begins."""
        return _id_of(self._current)

    def hash(self, phone: str) -> bytes:
        """Return the hash that finds `phone` (E.164), under the key in use."""
        return _hash(self._lookup[0], phone)

    def hashes(self, phone: str) -> Sequence[bytes]:
        """Return every hash under which `phone` may stand: one a key, so that a change of keys hides nothing."""
        return [_hash(key, phone) for key in self._lookup]

    def seal(self, text: str | bytes, *, of: str) -> bytes:
        """Return `text` encrypted for the rows of the call `of`; another ciphertext each time."""
        nonce = os.urandom(_NONCE)
        plain = text.encode() if isinstance(text, str) else text
        return _id_of(self._current) + nonce + self._cipher(self._current, of).encrypt(nonce, plain, None)

    def open(self, sealed: bytes, *, of: str) -> bytes:
        """Return what was sealed for the call `of`. Raises Unreadable."""
        key_id = int.from_bytes(sealed[:_ID])
        key = self._sealing.get(key_id)
        if key is None:
            raise Unreadable(key_id)
        try:
            return self._cipher(key, of).decrypt(sealed[_ID : _ID + _NONCE], sealed[_ID + _NONCE :], None)
        except InvalidTag:
            raise Unreadable(key_id) from None

    def _at_rest(self, phone: str, of: str) -> tuple[str, str, str]:
        """Return how a phone stands in the row of the call `of`: hash and ciphertext as text of bytea, and masked."""
        return f"\\x{self.hash(phone).hex()}", f"\\x{self.seal(phone, of=of).hex()}", mask_phone(phone)

    def signing_keys(self) -> Iterable[bytes]:
        """Return the keys that page cursors are signed with, the one in use first."""
        return [hmac.digest(key.secret, _SIGN, "sha256") for key in self._lookup]


def _id_of(key: Key) -> bytes:
    return key.id.to_bytes(_ID)


def _hash(key: Key, phone: str) -> bytes:
    return _id_of(key) + hmac.digest(key.secret, _FIND + phone.encode(), "sha256")[:_HASH]


def _cipher(key: Key, call_id: str) -> AESGCM:
    return AESGCM(hmac.digest(key.secret, _READ + call_id.encode(), "sha256"))
