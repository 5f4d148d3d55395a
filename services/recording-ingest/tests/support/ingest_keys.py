"""Keys for phones at rest: a file for a process, a vault for this one, and both after a change of keys."""

import base64
import hashlib
import json
from collections.abc import Sequence
from pathlib import Path

from recording_ingest.outbound.phone_keys import PhoneKeys
from recording_ingest.outbound.phone_vault import PhoneVault


def keys_file(folder: Path, lookup: Sequence[int] = (1,), sealing: Sequence[int] = (1,)) -> Path:
    """Write a file with these key ids, the first of each in use; the same id is always the same key."""
    document = {
        purpose: [{"id": one, "key": base64.b64encode(_secret(purpose, one)).decode()} for one in ids]
        for purpose, ids in (("lookup", lookup), ("sealing", sealing))
    }
    path = folder / "phone-keys.json"
    path.write_text(json.dumps(document))
    return path


def vault(folder: Path, lookup: Sequence[int] = (1,), sealing: Sequence[int] = (1,)) -> PhoneVault:
    return PhoneVault(PhoneKeys.load(keys_file(folder, lookup, sealing), demo=False))


def _secret(purpose: str, one: int) -> bytes:
    return hashlib.sha256(f"test {purpose} {one}".encode()).digest()
