"""Page cursors as words for a URL: signed, and good only for the question whose page they end."""

import base64
import binascii
import hmac
from collections.abc import Iterable
from datetime import datetime
from typing import Final

import orjson

from recording_ingest.domain.search import BadQuestion, Cursor

_MAC: Final = 16


class Cursors:
    """Signs cursors with the first key and accepts those of any."""

    def __init__(self, keys: Iterable[bytes]) -> None:
        self._keys = tuple(keys)

    def encode(self, cursor: Cursor, question: bytes) -> str:
        """Return the word for `cursor`; `question` is what was asked, in a form that is the same on every page."""
        times = (cursor.started_at, cursor.since, cursor.until)
        payload = orjson.dumps([cursor.call_id, *(instant.isoformat() for instant in times)])
        return base64.urlsafe_b64encode(_mac(self._keys[0], question, payload) + payload).decode().rstrip("=")

    def decode(self, word: str, question: bytes) -> Cursor:
        """Return the cursor behind `word`. Raises BadQuestion: not made here, changed, or for another question."""
        try:
            signed = base64.b64decode(word + "=" * (-len(word) % 4), altchars=b"-_", validate=True)
        except (ValueError, binascii.Error):
            raise _refused() from None
        mac, payload = signed[:_MAC], signed[_MAC:]
        if not any(hmac.compare_digest(mac, _mac(key, question, payload)) for key in self._keys):
            raise _refused()
        call_id, *times = orjson.loads(payload)
        started_at, since, until = map(datetime.fromisoformat, times)
        return Cursor(started_at, call_id, since, until)


def _mac(key: bytes, question: bytes, payload: bytes) -> bytes:
    return hmac.digest(key, len(question).to_bytes(4) + question + payload, "sha256")[:_MAC]


def _refused() -> BadQuestion:
    return BadQuestion("cursor", "not a cursor of this question; ask again without it")
