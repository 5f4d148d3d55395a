"""Zadarma's webhook signature: base64 of the *hexadecimal text* of HMAC-SHA1 over a few values, as they were sent."""

import binascii
import hmac
from collections.abc import Mapping, Sequence

from call_router.pbx.signatures import any_equal
from call_router.ports import SignatureRefused

_CALLED = ("caller_id", "called_did", "call_start")
_OUT = ("internal", "destination", "call_start")
_RESULT = ("result",)
SIGNED_FIELDS: Mapping[str, tuple[str, ...]] = {
    "NOTIFY_START": _CALLED,
    "NOTIFY_INTERNAL": _CALLED,
    "NOTIFY_INTERNAL_END": _CALLED,
    "NOTIFY_END": _CALLED,
    "NOTIFY_IVR": _CALLED,
    "NOTIFY_ANSWER": ("caller_id", "destination", "call_start"),
    "NOTIFY_OUT_START": _OUT,
    "NOTIFY_OUT_END": _OUT,
    "NOTIFY_RECORD": ("pbx_call_id", "call_id_with_rec"),
    "NUMBER_LOOKUP": _RESULT,
    "CALL_TRACKING": _RESULT,
    "SMS": _RESULT,
    "SPEECH_RECOGNITION": _RESULT,
}
# Nobody documents what an event that is not listed signs, so any of the known ways will do; it has no effect anyway.
_ANY = (_CALLED, _OUT, _RESULT, SIGNED_FIELDS["NOTIFY_ANSWER"], SIGNED_FIELDS["NOTIFY_RECORD"])


class Signer:
    """One secret of an account, its digest begun, to be gone on with for each text.

    `hmac.digest` would let other threads run meanwhile, and a caller wait until they have had their turn.
    """

    def __init__(self, secret: str) -> None:
        self._begun = hmac.new(secret.encode(), digestmod="sha1")

    def sign(self, text: str) -> bytes:
        """Return the value of the `Signature` header over `text`."""
        digest = self._begun.copy()
        digest.update(text.encode("utf-8", "surrogatepass"))
        return binascii.b2a_base64(digest.hexdigest().encode(), newline=False)


def verify(fields: Mapping[str, str], given: str | None, signers: Sequence[Signer]) -> None:
    """Raise SignatureRefused unless `given` signs the event's fields with one of the account's secrets."""
    if not given:
        raise SignatureRefused("missing")
    ways = (signed,) if (signed := SIGNED_FIELDS.get(fields.get("event", ""))) else _ANY
    texts = {"".join([fields.get(name, "") for name in names]) for names in ways} - {""}
    expected = [signer.sign(text) for signer in signers for text in texts]
    if not any_equal(expected, [given.strip().encode("utf-8", "surrogatepass")]):
        raise SignatureRefused("wrong")
