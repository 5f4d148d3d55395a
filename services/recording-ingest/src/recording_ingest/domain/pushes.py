"""Audio that a PBX of one's own sends us: what it is said to be, and which row of the ledger it belongs to."""

import base64
import binascii
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from recording_ingest.domain.identity import call_id_of
from recording_ingest.domain.recordings import Recording, State, object_key, recording_id

_WAV = frozenset({"audio/wav", "audio/x-wav", "audio/wave", "audio/vnd.wave"})
_MP3 = frozenset({"audio/mpeg", "audio/mp3"})
_FINAL = (State.STORED, State.DELETED)
_RATES = range(1000, 192_001)
_CHANNELS = range(1, 9)
_DIGEST = re.compile(r"([a-z0-9*.-]+)=:([A-Za-z0-9+/=]*):")
_DIGEST_BYTES = {"sha-256": 32, "sha-512": 64}


class PushRefused(Exception):
    """A push that cannot be taken as it is; the message says what to change."""


class WrongForm(PushRefused):
    """The audio is in a form that is not taken."""


@dataclass(frozen=True, slots=True)
class Raw:
    """Samples without a header, 16 bits each, most significant byte first (RFC 2586)."""

    rate: int
    channels: int


@dataclass(frozen=True, slots=True)
class Push:
    """Which part of which call is being sent."""

    account: str
    pbx_call_id: str
    tenant: str | None
    part: int
    channel: str

    @property
    def call_id(self) -> str:
        """Our id of the call."""
        return call_id_of(self.account, self.pbx_call_id)

    @property
    def source_id(self) -> str:
        """What stands for the PBX's own id of the file."""
        return f"push:{self.part}:{self.channel}"


def raw_form(content_type: str) -> Raw | None:
    """Return how the samples of `audio/L16` lie, None for a file with a header. Raises WrongForm for anything else."""
    kind, *given = [part.strip() for part in content_type.split(";")]
    if kind.lower() in _WAV | _MP3:
        return None
    if kind.lower() != "audio/l16":
        raise WrongForm("send audio/wav, audio/mpeg, or audio/L16 with its rate")
    parameters = dict(part.lower().replace(" ", "").partition("=")[::2] for part in given)
    rate, channels = _number(parameters.get("rate")), _number(parameters.get("channels", "1"))
    if rate not in _RATES or channels not in _CHANNELS:
        raise WrongForm("audio/L16 needs a rate of 1000 to 192000, and 1 to 8 channels: audio/L16;rate=8000;channels=1")
    return Raw(rate, channels)


def promised_digests(header: str | None) -> Mapping[str, bytes]:
    """Return the digests of a `Content-Digest` header (RFC 9530) that can be checked, by algorithm; {} without any.

    Raises PushRefused for a malformed one; an algorithm that is not known is passed over, as the RFC demands.
    """
    found: dict[str, bytes] = {}
    for member in (header or "").split(",") if header else ():
        match = _DIGEST.fullmatch(member.strip())
        if match is None:
            raise PushRefused("Content-Digest is not of the form sha-256=:<base64>:")
        name, text = match.groups()
        if name in _DIGEST_BYTES:
            found[name] = _decoded(text, _DIGEST_BYTES[name])
    return found


def entry_of(push: Push, known: Sequence[Recording]) -> Recording:
    """Return the ledger row that a push belongs to: its own, the one its call owes without a name, or a new one."""
    own = next((entry for entry in known if entry.source_id == push.source_id), None)
    owed = next((entry for entry in known if entry.source_id is None and entry.state not in _FINAL), None)
    new = Recording(
        recording_id=recording_id(push.call_id, push.source_id),
        call_id=push.call_id,
        account=push.account,
        pbx_call_id=push.pbx_call_id,
        tenant=next((entry.tenant for entry in known if entry.tenant), push.tenant),
        state=State.EXPECTED,
    )
    return replace(own or owed or new, source_id=push.source_id, part=push.part, channel=push.channel, announce_by=None)


def key_of(push: Push, entry: Recording) -> str:
    """Return where pushed audio is kept: the same key for the same part, whichever row it belongs to."""
    return object_key(replace(entry, recording_id=recording_id(push.call_id, push.source_id)))


def _number(text: str | None) -> int:
    return int(text) if text and text.isascii() and text.isdecimal() and len(text) < 8 else 0  # noqa: PLR2004 - digits


def _decoded(text: str, length: int) -> bytes:
    try:
        digest = base64.b64decode(text, validate=True)
    except binascii.Error:
        digest = b""
    if len(digest) != length:
        raise PushRefused("a digest in Content-Digest has the wrong length")
    return digest
